"""Download a published file: it goes on where it stopped, is checked, and never replaces a file that is there."""

import json
import os
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPException, HTTPResponse
from pathlib import Path

from ..errors import DownloadError
from .published import BLOCK, PublishedFile, differs

SILENCE_SECONDS = 60
ATTEMPTS = 4
"""In a row without a single byte."""
PAUSE_SECONDS = 2.0
HUB = "https://huggingface.co"
MIRROR_VARIABLE = "HF_ENDPOINT"
"""Names a mirror of HUB, as for the hub's own tools."""
REFUSALS = {401: "asks for a login", 403: "refuses access", 404: "is not there any more", 429: "had too many requests"}
AGAIN = "the same command goes on from there"

Progress = Callable[[int, int | None], object]
"""Is told the bytes that are there, and of how many where that is known."""


def download(
    file: PublishedFile, folder: Path, progress: Progress = lambda *_: None, pause: float = PAUSE_SECONDS
) -> Path:
    """Return where `file` is in `folder`, after fetching it or what is missing of it.

    Until it is whole and checked it is called .NAME.part there. A file that is there already is checked and left as it
    is. Raises DownloadError if that is another file, if nothing more comes, if the disk is full, or if what came is
    not the published file.
    """
    target = folder / file.name
    if os.path.lexists(target):
        _check_present(target, file)
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DownloadError(f"{target} cannot be written: {error}. Choose another folder.") from error
    part = _Part(target)
    _fill(file, part, progress, pause)
    if reason := differs(part.path, file):
        part.discard()
        raise DownloadError(
            f"What came from {address(file)} is not {file.name}: {reason}. It was damaged on the way, or replaced by "
            "its authors; it was thrown away. Try again, or get the file by other means."
        )
    part.publish()
    return target


def address(file: PublishedFile) -> str:
    """Return the file's address, on the mirror in $HF_ENDPOINT if there is one."""
    mirror = os.environ.get(MIRROR_VARIABLE, "").rstrip("/")
    return file.url.replace(HUB, mirror, 1) if mirror and file.url.startswith(f"{HUB}/") else file.url


class _Part:
    """What is there of a file that is on its way, and which version of it that is."""

    def __init__(self, target: Path):
        self.target = target
        self.path = target.with_name(f".{target.name}.part")
        self.note = target.with_name(f".{target.name}.part.json")

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    @property
    def version(self) -> list[str | None] | None:
        with suppress(OSError, ValueError):
            return json.loads(self.note.read_text(encoding="utf-8"))
        return None

    def begin(self, version: list[str | None]) -> None:
        """Forget what is there, and remember which version comes now."""
        try:
            self.discard()
            self.path.touch()
            self.note.write_text(json.dumps(version), encoding="utf-8")
        except OSError as error:
            raise self.unwritable(error) from error

    def append(self, block: bytes) -> None:
        try:
            with self.path.open("ab", buffering=0) as file:
                rest = memoryview(block)
                while rest:
                    rest = rest[file.write(rest) :]
        except OSError as error:
            raise self.unwritable(error) from error

    def unwritable(self, error: OSError) -> DownloadError:
        return DownloadError(
            f"{self.target} cannot be written: {error.strerror or error}. Free some space or choose another folder; "
            f"{_amount(self.size)} are kept, {AGAIN}."
        )

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)

    def publish(self) -> None:
        """Give the file its name; raise DownloadError if another one has it by now."""
        try:
            os.link(self.path, self.target)
        except OSError as error:  # taken by now, or a file system without links
            if os.path.lexists(self.target):
                raise DownloadError(
                    f"{self.target} appeared in the meantime and was left alone; the download is {self.path}."
                ) from error
            self.path.rename(self.target)
        self.discard()


def _check_present(target: Path, file: PublishedFile) -> None:
    reason = "it is no file" if not target.is_file() else differs(target, file)
    if reason:
        raise DownloadError(
            f"{target} exists, but is not what {address(file)} has: {reason}. It was left alone; move it away, or "
            "choose another folder."
        )


def _fill(file: PublishedFile, part: _Part, progress: Progress, pause: float) -> None:
    """Receive until the file is whole, over as many connections as it takes."""
    attempts = 0
    while True:
        before = part.size
        try:
            if _receive(file, part, progress):
                return
            problem = "the connection ended early"
        except urllib.error.HTTPError as error:
            problem = _answer(error)
            if error.code < 500 and error.code != 429:
                raise DownloadError(f"{address(file)} {problem}. Get the file by other means.") from error
        except (OSError, HTTPException) as error:
            problem = f"is out of reach: {getattr(error, 'reason', error)}"
        attempts = 1 if part.size > before else attempts + 1
        if attempts >= ATTEMPTS:
            raise DownloadError(f"{address(file)} {problem}. {_amount(part.size)} are kept; {AGAIN}.")
        time.sleep(pause)


def _receive(file: PublishedFile, part: _Part, progress: Progress) -> bool:
    """Append what one connection gives; say whether the file is whole now."""
    have = part.size
    headers = {"User-Agent": "vsr_core", "Accept-Encoding": "identity", **({"Range": f"bytes={have}-"} if have else {})}
    try:
        answer = urllib.request.urlopen(urllib.request.Request(address(file), headers=headers), timeout=SILENCE_SECONDS)
    except urllib.error.HTTPError as error:
        if error.code != 416:  # the server has nothing after what is there
            raise
        whole = error.headers.get("Content-Range") == f"bytes */{have}"
        if not whole:
            part.discard()
        return whole
    with answer:
        start, total = _extent(answer)
        version = [file.url, answer.headers.get("ETag") or answer.headers.get("Last-Modified")]
        goes_on = start == have and part.version == version and (version[1] or file.digest)
        if start and not goes_on:  # perhaps another version than what is there
            part.discard()
            return False
        if not start:
            part.begin(version)
        _check_space(part, total)
        while block := answer.read(BLOCK):
            part.append(block)
            progress(part.size, total)
        return total is None or part.size == total


def _extent(answer: HTTPResponse) -> tuple[int, int | None]:
    """Return the first byte that comes, and how many the whole file has."""
    length = answer.headers.get("Content-Length")
    if answer.status != 206:
        return 0, None if length is None else int(length)
    extent, _, total = answer.headers.get("Content-Range", "").removeprefix("bytes ").partition("/")
    try:
        return int(extent.partition("-")[0]), int(total) if total != "*" else None
    except ValueError as error:
        raise HTTPException(f"its Content-Range makes no sense: {extent}/{total}") from error


def _check_space(part: _Part, total: int | None) -> None:
    free = shutil.disk_usage(part.path.parent).free
    if total is not None and total - part.size > free:
        raise DownloadError(
            f"{part.target} has {_amount(total)}, of which {_amount(total - part.size)} are missing; the disk has "
            f"{_amount(free)} left. Free some space or choose another folder."
        )


def _answer(error: urllib.error.HTTPError) -> str:
    return REFUSALS.get(error.code, f"answers {error.code} {error.reason}")


def _amount(size: int) -> str:
    return f"{size / 1e9:.2f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
