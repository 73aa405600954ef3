"""The work folder: which of its files are ours, and who may write to it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from ..errors import VideoError
from ..video.partial import write_error

LOCK = "lock"
SEGMENT = "segment_{:06d}"
NAMES = r"manifest|joined|segment_\d{6}"
LAST = ("manifest.json", "joined.json")
OURS = re.compile(rf"({NAMES})(\.\w+)?|\.({NAMES})\.partial-\w+(\.\w+)?")


def work_folder(target: Path) -> Path:
    """Return where the unfinished parts of `target` lie by default: beside it."""
    return target.with_name(f"{target.name}.parts")


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Create `folder` and hold its lock, which a killed process gives back; remove the folder if nothing is in it.

    Raises VideoError if another run holds the lock, or the folder cannot be written to.
    """
    lock = FileLock(folder / LOCK, timeout=0)
    try:
        _lock(lock, folder)
        yield
    finally:
        if lock.is_locked:
            with suppress(OSError):
                (folder / LOCK).unlink()
            lock.release()
        with suppress(OSError):
            folder.rmdir()


def _lock(lock: FileLock, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
        if not (folder / LOCK).exists():  # another run removed it between opening and locking
            raise Timeout(str(folder))
    except Timeout as error:
        raise VideoError(
            f"{folder} is being written by another run. Wait for it to end, or give another name to the result."
        ) from error
    except (OSError, NotImplementedError) as error:
        raise write_error(folder, error) from error


def recorded(folder: Path) -> int:
    """Return how many segments are recorded as done."""
    return len(list(folder.glob("segment_*.json")))


def clear(folder: Path) -> None:
    """Delete what this program wrote into `folder`, the lock excepted; files of others stay.

    What tells that the work is finished goes last.
    """
    ours = [path for path in folder.iterdir() if OURS.fullmatch(path.name)] if folder.is_dir() else []
    for path in sorted(ours, key=lambda path: (LAST.index(path.name) if path.name in LAST else -1, path.name)):
        remove(path)


def clear_partial(folder: Path) -> None:
    """Delete what runs that were killed left half written."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") and OURS.fullmatch(path.name):
            remove(path)


def remove(path: Path) -> None:
    """Delete a file of ours, or a folder of our images; raise VideoError if that is not possible."""
    try:
        if path.is_dir():
            for image in path.glob("*.png"):
                image.unlink()
            path.rmdir()
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise write_error(path, error) from error
