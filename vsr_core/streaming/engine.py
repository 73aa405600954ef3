"""Restore a video of any length: plan, restore segment by segment, join."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from ..contract import Restorer
from ..errors import VideoError, VSRError
from ..runtime import Runtime
from .advice import GO_ON
from .begin import begin
from .folder import clear, locked, recorded, work_folder
from .identity import Identity
from .job import Job
from .manifest import read_manifest
from .pipeline import Observer, run_segments
from .publish import join, publish
from .work import Work


@dataclass(frozen=True, kw_only=True)
class Result:
    """What came of a job."""

    path: Path
    frames: int
    height: int
    width: int
    segments: int
    resumed: int
    """Segments that were done by runs before."""
    notes: list[str]
    """Sentences on what is not as in the input, for the user."""
    seconds: float = 0.0
    """That `upscale_video` took."""


class Unfinished(NamedTuple):
    done: int
    """Segments."""
    total: int
    folder: Path

    def __str__(self) -> str:
        return f"{self.done} of {self.total} segments are kept in {self.folder}; {GO_ON} goes on from there"


def upscale_video(
    job: Job,
    restorer: Restorer,
    runtime: Runtime,
    *,
    resume: bool = False,
    restart: bool = False,
    overwrite: bool = False,
    work: Path | None = None,
    identity: Identity | None = None,
    observer: Observer | None = None,
) -> Result:
    """Restore `job.source` into `job.target`, which appears when it is complete; see `prepare` for the rest.

    Memory does not grow with the length of the video. Whatever interrupts the run, complete segments stay in the work
    folder, and nothing unfinished is at the target. An uninterrupted run and any number of resumed ones give the
    same file.
    """
    start = time.monotonic()
    how = {"resume": resume, "restart": restart, "overwrite": overwrite, "work": work, "identity": identity}
    with prepare(job, restorer, runtime, **how) as begun:
        run_segments(begun, begun.missing(), restorer, runtime, observer)
        result = finish(begun)
    return replace(result, seconds=time.monotonic() - start)


@contextmanager
def prepare(
    job: Job,
    restorer: Restorer,
    runtime: Runtime,
    *,
    resume: bool = False,
    restart: bool = False,
    overwrite: bool = False,
    work: Path | None = None,
    identity: Identity | None = None,
) -> Iterator[Work]:
    """Yield the work to do for `job`, begun anew or (`resume`) as it was left; nobody else can work on it meanwhile.

    `work` is the folder for what is unfinished, by default `work_folder(job.target)`. `restart` deletes what earlier
    runs left in it; without either, unfinished work is an error. `overwrite` allows to replace a file at the target.
    `identity` is what `identify` says of the job, for callers that know it already: it reads the whole input.

    Raises SettingError if the unfinished work is of another input, model or setting, VideoError for what cannot be
    read or written. An error inside the block says how to go on.
    """
    folder = work or work_folder(job.target)
    with locked(folder), _nothing_left_behind(folder):
        how = {"resume": resume, "restart": restart, "overwrite": overwrite, "identity": identity}
        begun = begin(job, restorer, runtime, folder, **how)
        with _with_advice(folder):
            yield begun


def finish(work: Work) -> Result:
    """Join the segments into the target, delete the work folder and return what came of it.

    Raises VideoError if a segment is missing, the input has changed, or the target cannot be written.
    """
    missing = work.missing()
    if missing:
        raise VideoError(f"{len(missing)} of {len(work.segments)} segments are missing or damaged.")
    notes = work.published
    if notes is None:
        work.check_source()
        notes = join(work)
        publish(work, notes)
    clear(work.folder)
    manifest = work.manifest
    if manifest.damage:
        notes = [f"The input is damaged; the result ends where it does: {manifest.damage}", *notes]
    return Result(
        path=work.job.target,
        frames=manifest.frames,
        height=manifest.output.height,
        width=manifest.output.width,
        segments=len(work.segments),
        resumed=work.resumed,
        notes=notes,
    )


def unfinished(job: Job, work: Path | None = None) -> Unfinished | None:
    """Return what is kept of a job that was interrupted, None if there is nothing."""
    return _kept(work or work_folder(job.target))


def _kept(folder: Path) -> Unfinished | None:
    done = recorded(folder)
    with suppress(VideoError):
        manifest = read_manifest(folder)
        if done and manifest is not None:
            return Unfinished(done, len(manifest.segments), folder)
    return None


@contextmanager
def _with_advice(folder: Path) -> Iterator[None]:
    """Let errors say what is kept and how to go on."""
    try:
        yield
    except VSRError as error:
        if not folder.is_dir():
            raise VideoError(f"{folder}, where the unfinished work lay, was deleted or moved. Start again.") from error
        kept = _kept(folder)
        if kept is None:
            raise
        raise type(error)(f"{error} {kept}.") from error


@contextmanager
def _nothing_left_behind(folder: Path) -> Iterator[None]:
    """Clear the folder at the end of the block if no segment is done."""
    try:
        yield
    finally:
        if not recorded(folder):
            clear(folder)
