"""Begin a job, or take up one that was interrupted."""

from dataclasses import replace
from pathlib import Path

from ..contract import Restorer
from ..errors import VideoError
from ..runtime import Runtime
from ..stages import Stages
from ..video import Seek, Timeline, VideoInfo, check_target, probe, scan
from .advice import BEGIN_ANEW, GO_ON
from .context import Context, context
from .folder import clear, clear_partial, recorded
from .identity import Identity, identify
from .job import Job
from .manifest import Manifest, read_manifest
from .plan import Segment, plan_segments
from .publish import notes_of_published
from .size import OutputSize
from .work import Work


def begin(
    job: Job,
    restorer: Restorer,
    runtime: Runtime,
    folder: Path,
    *,
    resume: bool,
    restart: bool,
    overwrite: bool,
    identity: Identity | None = None,
) -> Work:
    """Return the work for `job` in `folder`, which is locked; see `engine.prepare`."""
    source = probe(job.source)
    around = context(restorer, job.settings)
    published = notes_of_published(folder, job.target)
    manifest = None if restart else _unfinished(folder, resume, published is not None)
    if manifest is None or published is None:
        published = None
        check_target(job.target, source=source, quality=job.quality_for(source), audio=job.audio, overwrite=overwrite)
    output = job.output_for(source, restorer.requirements.scale)
    identity = identity or identify(job, restorer)
    if manifest is None:
        clear(folder)
        manifest = _planned(job, restorer, runtime, source, output, around, identity)
        manifest.write(folder)
    else:
        manifest.check(**identity.facts)
        clear_partial(folder)
    work = Work(
        job=job, folder=folder, source=source, manifest=manifest, overwrite=overwrite, stamp=identity.stamp,
        published=published,
    )  # fmt: skip
    missing = work.missing()
    done = manifest.frames - sum(segment.frames for segment in missing)
    runtime.progress("decode", done, manifest.frames)
    return replace(work, resumed=len(work.segments) - len(missing))


def _unfinished(folder: Path, resume: bool, published: bool) -> Manifest | None:
    """Return the manifest of work of which something is done; raise VideoError unless it may be resumed."""
    manifest, done = read_manifest(folder), recorded(folder)
    if manifest is None or not (done or published):
        return None
    if not resume:
        raise VideoError(
            f"{folder} holds {done} of {len(manifest.segments)} segments of an unfinished run. {GO_ON} goes on "
            f"from there; {BEGIN_ANEW} deletes them and begins anew."
        )
    return manifest


def _planned(
    job: Job,
    restorer: Restorer,
    runtime: Runtime,
    source: VideoInfo,
    output: OutputSize,
    around: Context,
    identity: Identity,
) -> Manifest:
    def told(done: int, total: int | None) -> None:
        runtime.check_stopped()
        runtime.progress("scan", done, total)

    timeline = scan(
        job.source,
        *job.frames,
        scene_cuts=job.settings.tiling.scene_cuts,
        on_error=job.on_error,
        progress=told,
    )
    segments = plan_segments(
        timeline.shots,
        around,
        seconds=job.segment_seconds,
        frame_rate=source.frame_rate,
        first=timeline.first,
        policy=job.policy,
    )
    memory = Stages(restorer, runtime, job.settings.tiling).free_memory(output.input_height, output.input_width)
    return Manifest(
        **identity.facts,
        memory=memory,
        output=output,
        segments=segments,
        seeks=[_seek(timeline, segment) for segment in segments],
        start=timeline.times[0],
        stop=timeline.end,
        damage=timeline.damage,
    )


def _seek(timeline: Timeline, segment: Segment) -> Seek | None:
    """Return what leads to the last frame up to the segment's first one that can be found again."""
    known = timeline.seeks[: segment.first - timeline.first + 1]
    return next((seek for seek in reversed(known) if seek is not None), None)
