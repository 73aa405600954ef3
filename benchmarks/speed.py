"""Time an architecture at paper size with random weights against a straightforward implementation of it.

    python benchmarks/speed.py ARCHITECTURE [--device cpu|cuda] [--dtype fp32|bf16|fp16] [--plain-dtype fp32]

The straightforward one is in benchmarks/plain; ours is `restore` with everything that belongs to it but colour
correction. All in this process, in turn; the last lines are the ratios of the medians.
"""

import argparse
import math
import platform
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

import torch
from torch import Tensor

from vsr_core.architectures import ARCHITECTURES
from vsr_core.cli.summary import peak_memory
from vsr_core.contract import FusionSettings, Restorer
from vsr_core.load import compiled
from vsr_core.metrics.warping import warping_error
from vsr_core.restore import Settings, restore
from vsr_core.runtime import StandaloneRuntime
from vsr_core.runtime.standalone import DTYPES
from vsr_core.tiling import Tiling


class Timer:
    """Seconds per run, in all and per stage."""

    def __init__(self, device: torch.device):
        self.device = device
        self.runs: list[dict[str, float]] = []

    @contextmanager
    def run(self) -> Iterator[None]:
        self.runs.append(defaultdict(float))
        with self.stage("total"):
            yield

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        self._wait()
        start = time.perf_counter()
        yield
        self._wait()
        self.runs[-1][name] += time.perf_counter() - start

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def median(self, stage: str) -> float:
        """Leave out the first run, which warms up."""
        return statistics.median(run[stage] for run in self.runs[1:])

    def report(self, name: str, frames: int) -> None:
        total = self.median("total")
        stages = {stage: self.median(stage) for stage in self.runs[-1] if stage != "total"}
        stages["rest"] = total - sum(stages.values())
        where = ", ".join(f"{stage} {seconds:.3f}" for stage, seconds in stages.items())
        print(f"{name}: {total:.3f} s for {frames} frames ({total / frames:.3f} s a frame); seconds: {where}")


def run_ours(restorer: Restorer, clip: Tensor, fusion: dict, dtype: str, timer: Timer) -> Tensor:
    runtime = StandaloneRuntime(clip.device.type, dtype)
    settings = Settings(tiling=Tiling(scene_cuts=False), color="none", fusion=FusionSettings(**fusion))
    with timer.run():
        result = torch.cat(list(restore(clip, restorer, runtime, settings)))
    timer.runs[-1].update(runtime.seconds)
    return result


def moving_texture(frames: int, size: int, device: torch.device) -> Tensor:
    """Return a smooth random texture (T, 3, size, size) in 0..1 that drifts 1.5 pixels a frame."""
    torch.manual_seed(0)
    coarse = torch.rand(1, 3, size // 4, size // 4 + 2 * frames)
    wide = torch.nn.functional.interpolate(coarse, scale_factor=8, mode="bicubic").clamp(0, 1)
    views = [wide[..., : 2 * size : 2, 3 * t : 3 * t + 2 * size : 2] for t in range(frames)]
    return torch.cat(views).to(device)


def psnr(result: Tensor, reference: Tensor) -> float:
    error = ((result.clamp(0, 1) - reference.clamp(0, 1)) ** 2).mean().item()
    return -10 * math.log10(error) if error else math.inf


def main() -> None:
    arguments = parse()
    device = torch.device(arguments.device)
    plain_dtype = DTYPES[arguments.plain_dtype or arguments.dtype]
    frames = arguments.frames or (25 if device.type == "cuda" else 3)
    clip = moving_texture(frames, arguments.size, device)
    case = import_module(f"plain.{arguments.architecture}")
    plain, ours = case.build(device, plain_dtype), case.build_ours(device, DTYPES[arguments.dtype])
    if arguments.compile:
        compiled(ours)
    timers = {name: Timer(device) for name in ("plain", *case.VARIANTS)}
    results = {}
    with torch.no_grad():
        for _ in range(arguments.runs + 1):
            with timers["plain"].run():
                results["plain"] = case.run(plain, clip, timers["plain"].stage)
            for name, fusion in case.VARIANTS.items():
                results[name] = run_ours(ours, clip, fusion, arguments.dtype, timers[name])
    print_results(timers, results, clip, arguments)


def print_results(
    timers: dict[str, Timer], results: dict[str, Tensor], clip: Tensor, arguments: argparse.Namespace
) -> None:
    device, size = clip.device, arguments.size
    name = torch.cuda.get_device_name() if device.type == "cuda" else platform.processor() or platform.machine()
    print(f"{name}, torch {torch.__version__}, {torch.get_num_threads()} threads, {size}x{size} x4")
    print(f"plain in {arguments.plain_dtype or arguments.dtype}, ours in {arguments.dtype}")
    for variant, timer in timers.items():
        timer.report(variant, len(clip))
    for variant, result in results.items():
        error = warping_error(result.clamp(0, 1).cpu()).mean() if len(clip) > 1 else math.nan
        print(f"{variant}: {psnr(result, results['plain']):.1f} dB from plain, E*_warp {error:.3f}")
    print(f"peak memory of all together: {peak_memory(device) / 2**30:.2f} GiB")
    plain = timers["plain"].median("total")
    for variant in results.keys() - {"plain"}:
        print(f"ratio {variant}/plain: {timers[variant].median('total') / plain:.3f}")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("architecture", choices=ARCHITECTURES, metavar="ARCHITECTURE", help=", ".join(ARCHITECTURES))
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--dtype", choices=DTYPES, default="fp32")
    parser.add_argument("--plain-dtype", choices=DTYPES, help="default: the same as --dtype")
    parser.add_argument("--frames", type=int, help="default: 25 on CUDA, 3 on a CPU")
    parser.add_argument("--size", type=int, default=128, help="height and width of the input")
    parser.add_argument("--runs", type=int, default=3, help="counted runs after one that is not")
    parser.add_argument("--compile", action="store_true", help="torch.compile our parts")
    return parser.parse_args()


if __name__ == "__main__":
    main()
