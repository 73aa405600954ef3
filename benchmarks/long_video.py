"""Measure the peak memory of upscaling a short and a long video: it must not grow with the length.

    python benchmarks/long_video.py VIDEO [--seconds 60 600] [--model NAME] [--size 32x48] [--device cpu]

Upscales a small part of VIDEO, repeated, with the command line, each length in a process of its own. The exit code is 1
if the peaks differ by 5 % or more.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from small_input import write_small_input

from vsr_core.models import DEFAULT
from vsr_core.video import probe

MOST_GROWTH = 0.05


class Run(NamedTuple):
    seconds: float
    """Length of the input."""
    frames: int
    took: float
    """Seconds."""
    peak: int
    """Bytes of RAM."""


def main() -> int:
    arguments = _arguments()
    runs = [measured(arguments, seconds) for seconds in arguments.seconds]
    print("| input | frames | time | frames per second | peak memory |\n|---|---|---|---|---|")
    for run in runs:
        speed = run.frames / run.took
        print(f"| {run.seconds:g} s | {run.frames} | {run.took:.0f} s | {speed:.1f} | {run.peak / 2**20:.1f} MiB |")
    peaks = [run.peak for run in runs]
    growth = max(peaks) / min(peaks) - 1
    print(f"\npeaks differ by {growth:.1%}")
    return 0 if growth < MOST_GROWTH else 1


def measured(arguments: argparse.Namespace, seconds: float) -> Run:
    """Upscale `seconds` of the video in a process of its own. Linux and macOS only."""
    height, width = arguments.size
    with tempfile.TemporaryDirectory() as name:
        source = write_small_input(arguments.video, Path(name, "in.mp4"), seconds=seconds, height=height, width=width)
        target = Path(name, "out.mp4")
        words = [source, target, "--model", arguments.model, "--device", arguments.device]
        start = time.monotonic()
        with Path(name, "said").open("wb") as said:
            run = subprocess.Popen(
                [sys.executable, "-m", "vsr_core", "upscale", *map(str, words)], stdout=said, stderr=said
            )
            _, status, usage = os.wait4(run.pid, 0)
        took = time.monotonic() - start
        if status:
            sys.exit(Path(name, "said").read_text())
        unit = 1 if sys.platform == "darwin" else 1024
        return Run(seconds, probe(target).frames, took, usage.ru_maxrss * unit)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", type=Path)
    parser.add_argument("--seconds", type=float, nargs="+", default=[60.0, 600.0])
    parser.add_argument("--model", default=DEFAULT)
    parser.add_argument("--size", type=lambda text: tuple(map(int, text.split("x"))), default=(32, 48))
    parser.add_argument("--device", default="cpu")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
