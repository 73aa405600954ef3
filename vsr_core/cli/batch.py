"""`batch IN_DIR OUT_DIR`: upscale every video of a folder, on this machine or on a Ray cluster."""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ..errors import SettingError, VideoError, VSRError
from ..load import cast, load_restorer
from ..models import find
from ..runtime import StandaloneRuntime
from ..streaming import Job, Result, upscale_video, work_folder
from ..streaming.cluster import LOCAL, RayPool
from ..streaming.distribute import upscale_videos
from ..streaming.target import usual_suffix
from ..video import VIDEO_SUFFIXES, probe
from . import job
from .progress import FrameBar
from .summary import notes

VIDEOS = {".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".ts", ".webm", ".wmv"}
"""Endings of the files that are taken for videos."""
Outcome = tuple[Path, Result | VSRError]
"""A video, and what came of it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("folder", metavar="IN_DIR", type=Path, help="a folder of videos")
    parser.add_argument("out", metavar="OUT_DIR", type=Path, help="where the results go, under the same names")
    parser.add_argument("--suffix", choices=VIDEO_SUFFIXES, help="of the results (default: what suits --codec)")
    parser.add_argument("--restart", action="store_true", help="begin anew what was stopped, instead of going on")
    cluster = parser.add_argument_group("many machines")
    cluster.add_argument(
        "--ray", nargs="?", const=LOCAL, metavar="ADDRESS",
        help="spread segments over the workers of a Ray cluster (default: one of this machine's own)",
    )  # fmt: skip
    cluster.add_argument("--workers", type=int, metavar="N", help="default: one per GPU, else one per CPU core")
    job.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Upscale all videos, print a line for each, and return 1 if one failed. Raises VSRError."""
    videos = _videos(arguments.folder)
    jobs, there, failed = [], 0, []
    for video in videos:
        try:
            wanted = _job(arguments, video)
        except VideoError as error:
            failed.append(_tell(video, error))
            continue
        if wanted.target.exists() and not arguments.overwrite and not work_folder(wanted.target).exists():
            there += 1
        else:
            jobs.append(wanted)
    upscaled = _on_ray if arguments.ray else _one_by_one
    try:
        for video, outcome in upscaled(jobs, arguments) if jobs else []:
            if isinstance(outcome, VSRError):
                failed.append(_tell(video, outcome))
            else:
                _show(video, outcome)
    except KeyboardInterrupt:
        print("complete segments are kept; the same command goes on with them", file=sys.stderr)
        raise
    left = f"; failed: {', '.join(failed)}" if failed else ""
    print(f"{len(videos) - there - len(failed)} upscaled, {there} there already, {len(failed)} failed{left}")
    return 1 if failed else 0


def _videos(folder: Path) -> list[Path]:
    """Return the videos of `folder` by name; raise SettingError if there is none, or two would have one result."""
    files = folder.iterdir() if folder.is_dir() else []
    videos = sorted(file for file in files if file.suffix.lower() in VIDEOS and not file.name.startswith("."))
    if not videos:
        raise SettingError(f"{folder} holds no videos: no file that ends in {', '.join(sorted(VIDEOS))}.")
    twice = [stem for stem, count in Counter(video.stem for video in videos).items() if count > 1]
    if twice:
        raise SettingError(f"Several videos are called {', '.join(twice)}, and their results would be. Rename them.")
    return videos


def _job(arguments: argparse.Namespace, video: Path) -> Job:
    suffix = arguments.suffix or usual_suffix(arguments.codec, probe(video))
    return job.job_of(arguments, video, arguments.out / f"{video.stem}{suffix}", Job.frames)


def _one_by_one(jobs: list[Job], arguments: argparse.Namespace) -> Iterator[Outcome]:
    bar = FrameBar()
    runtime = StandaloneRuntime(arguments.device, arguments.dtype, lambda *report: bar.update(*report))
    restorer = job.loaded(arguments, runtime)
    for wanted in jobs:
        how = {"resume": not arguments.restart, "restart": arguments.restart, "overwrite": arguments.overwrite}
        try:
            with FrameBar(title=wanted.source.name) as bar:
                result = upscale_video(wanted, restorer, runtime, **how)
        except VSRError as error:
            yield wanted.source, error
        else:
            yield wanted.source, result


def _on_ray(jobs: list[Job], arguments: argparse.Namespace) -> Iterator[Outcome]:
    model = find(arguments.model)
    asked = {"device": arguments.device, "dtype": arguments.dtype, "compile": arguments.compile}
    with RayPool(model, address=arguments.ray, workers=arguments.workers, **asked) as pool, FrameBar() as bar:
        facts = pool.facts()
        restorer = cast(load_restorer(model), facts.dtype)
        planned = [_with_memory(wanted, facts.memory) for wanted in jobs]

        def seen(done: int, total: int) -> None:
            bar.update("decode", done, total)

        how = {"restart": arguments.restart, "overwrite": arguments.overwrite, "seen": seen}
        for done, outcome in upscale_videos(planned, pool, restorer, StandaloneRuntime("cpu"), **how):
            yield done.source, outcome


def _with_memory(wanted: Job, memory: int) -> Job:
    """Return the job for workers that have `memory` bytes free, whatever is free here."""
    return replace(wanted, settings=replace(wanted.settings, tiling=replace(wanted.settings.tiling, memory=memory)))


def _show(video: Path, result: Result) -> None:
    print(f"{video.name}: {result.frames} frames, {result.width}x{result.height} -> {result.path}", flush=True)
    for note in notes(result):
        print(f"note: {video.name}: {note}", file=sys.stderr)


def _tell(video: Path, error: VSRError) -> str:
    """Say what went wrong, and return the video's name."""
    print(f"error: {video.name}: {error}", file=sys.stderr)
    return video.name
