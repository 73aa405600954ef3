"""Join the segments and move the result to its place, so that a crash at any moment loses nothing."""

import errno
import json
import os
import shutil
from pathlib import Path

from ..errors import VideoError
from ..video import check_target
from ..video.join import join_into
from ..video.join_images import join_images
from ..video.partial import check_file, check_folder, partial_file, sync, write_error
from .folder import remove
from .identity import source_identity
from .manifest import write_json
from .work import Work

RECORD = "joined.json"


def join(work: Work) -> list[str]:
    """Join the segments inside the work folder; return sentences on what the result cannot hold."""
    joined, job, quality = _joined(work), work.job, work.quality
    segments = [work.path(segment) for segment in work.segments]
    remove(joined)
    if quality.codec == "png":
        join_images(segments, joined)
        return []
    known = check_target(job.target, source=work.source, quality=quality, audio=job.audio, overwrite=True)
    with partial_file(joined, overwrite=True) as file:
        found = join_into(
            file,
            segments,
            job.target,
            source=work.source,
            trimmed=job.trimmed,
            stop=work.manifest.stop,
            audio=job.audio,
            damaged=work.manifest.damage is not None,
            tags=job.tags,
        )
    return [*known, *found]


def publish(work: Work, notes: list[str]) -> None:
    """Move what `join` made to the target; `notes` are kept until the work folder goes.

    Raises VideoError if something is there already and may not be overwritten, or it cannot be written.
    """
    joined, target = _joined(work), work.job.target
    check_folder(target) if joined.is_dir() else check_file(target, work.overwrite)
    write_json(work.folder / RECORD, {"result": source_identity(joined), "notes": notes})
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir():
            target.rmdir()
        os.replace(joined, target)
        sync(target.parent)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise write_error(target, error) from error
        _copy(joined, target, work.overwrite)


def notes_of_published(folder: Path, target: Path) -> list[str] | None:
    """Return the notes of `publish` if `target` is the result of the work in `folder`, otherwise None."""
    try:
        recorded = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        if target.exists() and source_identity(target) == recorded["result"]:
            return recorded["notes"]
    except (OSError, ValueError, KeyError, VideoError):
        pass
    return None


def _joined(work: Work) -> Path:
    return work.folder / ("joined" + work.job.target.suffix.lower())


def _copy(joined: Path, target: Path, overwrite: bool) -> None:
    """Copy the result to another disk."""
    if joined.is_dir():
        join_images([joined], target)
        return
    with partial_file(target, overwrite=overwrite) as partial:
        try:
            shutil.copyfile(joined, partial)
        except OSError as error:
            raise write_error(target, error) from error
