"""`upscale IN OUT`: restore and enlarge a video or a folder of images."""

import argparse
import sys
from pathlib import Path

from ..compare import write_comparison
from ..errors import VideoError
from ..runtime import StandaloneRuntime
from ..streaming import Job, Result, unfinished, upscale_video
from ..streaming.estimate import estimate
from ..video import read_frames
from . import job
from .progress import FrameBar
from .summary import closing_line, notes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("input", metavar="IN", type=Path, help="a video, or a folder of images")
    parser.add_argument("output", metavar="OUT", type=Path, help="a .mp4, .mkv or .mov file, or a folder for PNGs")
    parser.add_argument(
        "--frames", type=job.frame_range, default=Job.frames, metavar="A:B", help="only frames A up to B"
    )
    parser.add_argument("--compare", type=Path, metavar="PNG", help="also write bicubic beside the result, one frame")
    parser.add_argument("--dry-run", action="store_true", help="estimate time, memory and size; write nothing")
    again = parser.add_mutually_exclusive_group()
    again.add_argument("--resume", action="store_true", help="go on with work that was stopped, if there is any")
    again.add_argument("--restart", action="store_true", help="delete work that was stopped, and begin anew")
    job.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Upscale and print one closing line. Raises VSRError."""
    wanted = job.job_of(arguments, arguments.input, arguments.output, arguments.frames)
    _check_free(arguments.compare, arguments.overwrite)
    bar = FrameBar()
    progress = None if arguments.dry_run else bar.update
    runtime = StandaloneRuntime(arguments.device, arguments.dtype, progress)
    restorer = job.loaded(arguments, runtime)
    if arguments.dry_run:
        print(estimate(wanted, restorer, runtime))
        return 0
    try:
        with bar:
            result = upscale_video(
                wanted, restorer, runtime,
                resume=arguments.resume, restart=arguments.restart, overwrite=arguments.overwrite,
            )  # fmt: skip
    except KeyboardInterrupt:
        if left := unfinished(wanted):
            print(left, file=sys.stderr)
        raise
    if arguments.compare:
        _compare(arguments.compare, wanted.source, wanted.frames[0], result)
    for note in notes(result):
        print(f"note: {note}", file=sys.stderr)
    print(closing_line(result, bar.seconds, runtime))
    return 0


def _check_free(picture: Path | None, overwrite: bool) -> None:
    if picture is not None and picture.exists() and not overwrite:
        raise VideoError(f"{picture} already exists. Choose another name or allow overwriting by --overwrite.")


def _compare(picture: Path, source: Path, first: int, result: Result) -> None:
    """Show the middle frame before and after, as it is in the files."""
    middle = result.frames // 2
    pair = [next(read_frames(file, at, at + 1)) for file, at in ((source, first + middle), (result.path, middle))]
    write_comparison(picture, *(frame.image for frame in pair))
