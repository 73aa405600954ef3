"""Compare what `upscale --dry-run` expects of a video with what upscaling it takes, for every built-in model.

    python benchmarks/estimate.py VIDEO [--seconds S --size HxW] [--models NAME ...] [--rounds 3] [--cpu-seconds]

Estimate and run have a process of their own each, in turn, `--rounds` times; the table has medians. Loading the model
is in neither time, sound in neither size. With `--size` it is the middle of VIDEO, repeated. `--cpu-seconds` counts
what the CPU spends, with one thread, for a machine that does other work as well.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from small_input import write_small_input

from vsr_core.load import cast, load_restorer
from vsr_core.models import built_in, find
from vsr_core.runtime import StandaloneRuntime
from vsr_core.streaming import Job, upscale_video
from vsr_core.streaming.estimate import estimate, peak_ram

STAGES = ("expected", "real")
FIGURES = {"seconds": ("s", 1), "ram": ("MiB", 2**20), "bytes": ("KB", 1000)}
"""Their units, and what one is."""


def main() -> None:
    arguments = _arguments()
    if arguments.stage:
        print(json.dumps(measured(arguments)))
        return
    print("| model | figure | expected | measured | ratio |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        if arguments.size:
            height, width = arguments.size
            size = {"seconds": arguments.seconds, "height": height, "width": width}
            arguments.video = write_small_input(arguments.video, Path(folder, "in.mp4"), **size)
        for model in arguments.models:
            rounds = [[_in_a_process(stage, model, arguments) for stage in STAGES] for _ in range(arguments.rounds)]
            _print(model, rounds)


def _print(model: str, rounds: list) -> None:
    for figure, (unit, one) in FIGURES.items():
        before, after = (statistics.median(pair[n][figure] / one for pair in rounds) for n in range(2))
        ratio = statistics.median(pair[0][figure] / pair[1][figure] for pair in rounds)
        print(f"| {model} | {figure} | {before:.1f} {unit} | {after:.1f} {unit} | {ratio:.2f} |", flush=True)


def measured(arguments: argparse.Namespace) -> dict[str, float]:
    """Return seconds, most bytes of RAM and bytes of the result, as expected or as they come out."""
    if arguments.cpu_seconds:
        torch.set_num_threads(1)
        time.perf_counter = time.monotonic = time.process_time
    runtime = StandaloneRuntime(arguments.device)
    restorer = load_restorer(find(arguments.models[0]))
    cast(restorer, runtime.dtype(restorer.requirements.dtypes))
    with tempfile.TemporaryDirectory() as folder:
        job = Job(source=arguments.video, target=Path(folder, "out.mp4"), audio=False)
        if arguments.stage == "expected":
            found = estimate(job, restorer, runtime)
            return {"seconds": found.seconds, "ram": found.ram, "bytes": found.bytes}
        done = upscale_video(job, restorer, runtime)
        return {"seconds": done.seconds, "ram": peak_ram(), "bytes": done.path.stat().st_size}


def _in_a_process(stage: str, model: str, arguments: argparse.Namespace) -> dict[str, float]:
    words = [str(arguments.video), "--models", model, "--device", arguments.device, "--stage", stage]
    words += ["--cpu-seconds"] if arguments.cpu_seconds else []
    done = subprocess.run([sys.executable, __file__, *words], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", type=Path)
    parser.add_argument("--models", nargs="+", default=list(built_in()))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--size", type=lambda text: tuple(map(int, text.split("x"))))
    parser.add_argument("--cpu-seconds", action="store_true")
    parser.add_argument("--stage", choices=STAGES, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
