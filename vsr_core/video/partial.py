"""Write under a temporary name beside the target; the target appears only when everything is complete."""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import VideoError

FULL_DISK = {errno.ENOSPC: "the disk is full", errno.EFBIG: "the file grew beyond the allowed size"}
if hasattr(errno, "EDQUOT"):
    FULL_DISK[errno.EDQUOT] = "the disk quota is used up"
NO_ACCESS = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR, errno.EEXIST}


def write_error(target: Path, error: BaseException) -> VideoError:
    """Return the error to raise when writing `target` failed with `error`."""
    number = getattr(error, "errno", None)
    reason, advice = str(error), ""
    if number in FULL_DISK:
        reason, advice = FULL_DISK[number], " Free some space or write elsewhere."
    elif number in NO_ACCESS:
        advice = " Choose a place that can be written to."
    return VideoError(f"{target} was not written: {reason}.{advice}")


@contextmanager
def partial_file(target: Path, *, overwrite: bool) -> Iterator[Path]:
    """Yield a temporary path; rename it to `target` if the block succeeds, remove it if not.

    What has been renamed is on disk: it survives a power failure.

    Raises VideoError if `target` exists and `overwrite` is false, or if its folder cannot be written to.
    """
    check_file(target, overwrite)
    with unnamed_file(target, target.suffix) as temporary:
        yield temporary
        _publish(temporary, target, free=overwrite or not os.path.lexists(target))


@contextmanager
def unnamed_file(target: Path, suffix: str) -> Iterator[Path]:
    """Yield a temporary file beside `target` that ends in `suffix`; remove it, if it is still there, in the end."""
    temporary = _temporary_name(target.with_suffix(suffix))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.open("xb").close()
    except OSError as error:
        raise write_error(target, error) from error
    try:
        yield temporary
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextmanager
def partial_folder(target: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Yield a temporary folder for PNG files; rename it to `target` if the block succeeds, remove it if not.

    Raises VideoError if `target` exists and is not an empty folder: files in it are never touched. With `overwrite`
    its PNG files are removed, for a folder that is known to be of our own making.
    """
    if not overwrite:
        check_folder(target)
    temporary = _temporary_name(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.mkdir()
    except OSError as error:
        raise write_error(target, error) from error
    try:
        yield temporary
        if overwrite:
            _remove_images(target)
        _publish(temporary, target, free=_is_free_folder(target))
    except BaseException:
        _remove_images(temporary)
        raise


def _temporary_name(target: Path) -> Path:
    return target.with_name(f".{target.stem[:80]}.partial-{secrets.token_hex(4)}{target.suffix}")


def check_file(target: Path, overwrite: bool) -> None:
    """Raise VideoError unless a file may be written to `target`."""
    if target.is_dir():
        raise VideoError(f"{target} is a folder; give the name of a file to write.")
    if not overwrite and os.path.lexists(target):
        raise VideoError(f"{target} already exists. Choose another name or allow overwriting.")


def check_folder(target: Path) -> None:
    """Raise VideoError unless a folder of images may be written to `target`."""
    if os.path.lexists(target) and not target.is_dir():
        raise VideoError(f"{target} is a file; give the name of a folder to write images to.")
    if not _is_free_folder(target):
        raise VideoError(f"{target} is not empty; its files are left alone. Choose a new or an empty folder.")


def _is_free_folder(target: Path) -> bool:
    return not any(target.iterdir()) if target.is_dir() else not os.path.lexists(target)


def _publish(temporary: Path, target: Path, *, free: bool) -> None:
    """Rename to `target`, or to a name of its own where `target` has been taken in the meantime."""
    place = target if free else target.with_name(f"{target.stem}-{secrets.token_hex(4)}{target.suffix}")
    try:
        for file in temporary.iterdir() if temporary.is_dir() else [temporary]:
            sync(file)
        if place.is_dir():
            place.rmdir()
        os.replace(temporary, place)
        sync(place.parent)
    except OSError as error:
        raise write_error(target, error) from error
    if place != target:
        raise VideoError(f"{target} appeared in the meantime and was left alone; the result is in {place}.")


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, have reached the disk. Windows keeps folders itself."""
    if os.name == "nt" and path.is_dir():
        return
    handle = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove_images(folder: Path) -> None:
    with suppress(OSError):
        for file in folder.glob("*.png"):
            file.unlink()
        folder.rmdir()
