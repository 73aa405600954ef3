"""What others have published that a model file can be made of: where it is, its licence, size and hash."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

BLOCK = 1 << 20


@dataclass(frozen=True)
class PublishedFile:
    """One file. `size` and `digest` are None where nothing trustworthy states them; they are never guessed."""

    name: str
    """Its place below the folder of its model, with forward slashes."""
    url: str
    size: int | None = None
    """Bytes."""
    digest: str | None = None
    """sha256:HEX of its content, or git:HEX, the name git has for that content."""


@dataclass(frozen=True, kw_only=True)
class Published:
    """Files that belong together."""

    title: str
    homepage: str
    licence: str
    files: tuple[PublishedFile, ...]
    convert: str
    """Arguments of `convert`; {sources} is the folder of the models' folders, {models} that of our model files."""


def digest_of(path: Path, kind: str = "sha256") -> str:
    """Return kind:HEX of a file's content; `kind` is sha256 or git."""
    with path.open("rb") as file:
        if kind == "git":
            start = b"blob %d\0" % path.stat().st_size
            return f"git:{_hexadecimal(hashlib.sha1(start, usedforsecurity=False), file)}"
        return f"sha256:{_hexadecimal(hashlib.sha256(), file)}"


def differs(path: Path, file: PublishedFile) -> str | None:
    """Say how the file at `path` differs from the published one, as far as size and digest are known; else None."""
    size = path.stat().st_size
    if file.size is not None and size != file.size:
        return f"it has {size:,} bytes, not {file.size:,}"
    if file.digest is None:
        return None
    found = digest_of(path, file.digest.partition(":")[0])
    return None if found == file.digest else f"its hash is {found}, not {file.digest}"


def _hexadecimal(digest: "hashlib._Hash", file: BinaryIO) -> str:
    while block := file.read(BLOCK):
        digest.update(block)
    return digest.hexdigest()
