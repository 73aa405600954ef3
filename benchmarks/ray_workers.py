"""Time a video on one worker, on two, and in one process with two threads: what a second worker brings on two cores.

    python benchmarks/ray_workers.py VIDEO [--seconds 12] [--size 64x96] [--model NAME] [--rounds 5]

Upscales a small part of VIDEO, repeated. A worker has one thread. Scan and join are among the seconds, starting Ray and
loading the model are not. The ways are timed in turn, `--rounds` times each.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from small_input import write_small_input

from vsr_core.contract import Restorer
from vsr_core.errors import VSRError
from vsr_core.load import cast, load_restorer
from vsr_core.models import DEFAULT, find
from vsr_core.restore import Settings
from vsr_core.runtime import Runtime, StandaloneRuntime
from vsr_core.streaming import Job, upscale_video
from vsr_core.streaming.cluster import RayPool
from vsr_core.streaming.distribute import upscale_videos
from vsr_core.tiling import Tiling
from vsr_core.video import probe

MEMORY = 2**30
"""Bytes that every way counts on, so that all cut the frames into the same tiles."""
SEGMENT_SECONDS = 1.0


def main() -> int:
    arguments = _arguments()
    model, (height, width) = find(arguments.model), arguments.size
    restorer, runtime = cast(load_restorer(model), torch.float32), StandaloneRuntime("cpu")
    with tempfile.TemporaryDirectory() as name, RayPool(model, workers=2, device="cpu", dtype="fp32") as pool:
        source, target = Path(name, "in.mp4"), Path(name, "out.mp4")
        write_small_input(arguments.video, source, seconds=arguments.seconds, height=height, width=width)
        settings = Settings(tiling=Tiling(memory=MEMORY))
        job = Job(source=source, target=target, settings=settings, segment_seconds=SEGMENT_SECONDS)
        frames = probe(source).frames
        print(f"{frames} frames of {width}x{height}, {arguments.model}, {os.cpu_count()} cores", flush=True)
        pool.facts()  # answered when all workers have loaded the model
        ways = {
            "1 worker": partial(by_workers, 1, pool, job, restorer, runtime),
            "2 workers": partial(by_workers, 2, pool, job, restorer, runtime),
            "1 process, 1 thread": partial(by_this_process, 1, job, restorer, runtime),
            "1 process, 2 threads": partial(by_this_process, 2, job, restorer, runtime),
        }
        seconds = {way: [] for way in ways}
        for number in range(arguments.rounds + 1):
            for way, upscale in ways.items():
                took = timed(upscale, target)
                if number:  # the first round warms up
                    seconds[way].append(took)
                print(f"round {number}, {way}: {took:.1f} s", file=sys.stderr, flush=True)
    _print(seconds, frames)
    return 0


def by_workers(count: int, pool: RayPool, job: Job, restorer: Restorer, runtime: Runtime) -> None:
    """Upscale by the first `count` workers of a pool, of one thread each; the others have nothing to do."""
    workers = pool.workers
    pool.workers = workers[:count]
    for _, outcome in upscale_videos([job], pool, restorer, runtime):
        if isinstance(outcome, VSRError):
            raise outcome
    pool.workers = workers


def by_this_process(threads: int, job: Job, restorer: Restorer, runtime: Runtime) -> None:
    """Upscale without Ray."""
    torch.set_num_threads(threads)
    upscale_video(job, restorer, runtime)


def timed(upscale: Callable[[], None], target: Path) -> float:
    """Return the seconds of one run; leave nothing behind."""
    start = time.monotonic()
    upscale()
    took = time.monotonic() - start
    target.unlink()
    return took


def _print(seconds: dict[str, list[float]], frames: int) -> None:
    first = next(iter(seconds))
    print("\n| way | median [s] | all [s] | frames per second | against the first |\n|---|---|---|---|---|")
    for way, took in seconds.items():
        median = statistics.median(took)
        ratio = statistics.median(one / own for one, own in zip(seconds[first], took))
        listed = ", ".join(f"{run:.1f}" for run in took)
        print(f"| {way} | {median:.1f} | {listed} | {frames / median:.1f} | {ratio:.2f} x |")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", type=Path)
    parser.add_argument("--seconds", type=float, default=12.0)
    parser.add_argument("--size", type=lambda text: tuple(map(int, text.split("x"))), default=(64, 96))
    parser.add_argument("--model", default=DEFAULT)
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
