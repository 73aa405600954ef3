"""Time AdcVSR at paper size with random weights against a plain run of the same network.

    python benchmarks/speed.py [--device cpu|cuda] [--dtype fp32|bf16|fp16] [--plain-dtype fp32] [--frames 25]

Plain: contiguous memory, nearest-neighbour enlargement followed by its convolution, all frames at once.
Ours: the restorer as `restore` calls it. Both in this process, in turn; the last line is the ratio of the medians.
"""

import argparse
import platform
import statistics
import time
from collections import defaultdict

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vsr_core.architectures.adc_vsr import PAPER
from vsr_core.architectures.adc_vsr.blocks import Upsample
from vsr_core.architectures.adc_vsr.network import AdcVSR
from vsr_core.architectures.adc_vsr.restorer import AdcVSRRestorer
from vsr_core.cli.summary import peak_memory
from vsr_core.load import compiled
from vsr_core.runtime.standalone import DTYPES
from vsr_core.tiling.plan import DECODED_PIXELS

STAGES = ("encode", "step", "decode")


class PlainUpsample(nn.Module):
    """The textbook form of Upsample."""

    def __init__(self, conv: nn.Conv2d):
        super().__init__()
        self.conv = conv

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))


class Timer:
    """Collects seconds per stage."""

    def __init__(self, device: torch.device):
        self.device = device
        self.seconds: dict[str, list[float]] = defaultdict(list)

    def measure(self, stage: str, work):
        self._wait()
        start = time.perf_counter()
        result = work()
        self._wait()
        self.seconds[stage].append(time.perf_counter() - start)
        return result

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def median(self, stage: str) -> float:
        return statistics.median(self.seconds[stage])

    @property
    def total(self) -> float:
        return sum(self.median(stage) for stage in STAGES)


def run(restorer: AdcVSRRestorer, clip: Tensor, timer: Timer, together: int) -> Tensor:
    latent = timer.measure("encode", lambda: restorer.encode(clip))
    latent = timer.measure("step", lambda: restorer.step(latent))
    pairs = list(zip(latent.split(together), clip.split(together)))
    return timer.measure("decode", lambda: torch.cat([restorer.decode(*pair) for pair in pairs]))


def random_network(device: torch.device) -> AdcVSR:
    torch.manual_seed(0)
    with torch.device(device):
        return AdcVSR(PAPER).eval().requires_grad_(False)


def make_plain(network: AdcVSR) -> AdcVSRRestorer:
    """Undo what ours does: contiguous weights and activations, enlargement before convolution."""
    for module in network.modules():
        for name, child in module.named_children():
            if isinstance(child, Upsample):
                setattr(module, name, PlainUpsample(child.conv))
    restorer = AdcVSRRestorer(network)
    for part in restorer.parts.values():
        part.to(memory_format=torch.contiguous_format)
    restorer.encode = lambda clip: F.pixel_unshuffle(clip * 2 - 1, 2).to(network.denoiser.conv_in.weight.dtype)
    restorer.decode = lambda latent, clip: (network.decoder(latent).float() + 1) / 2
    return restorer


def report(name: str, timer: Timer, frames: int) -> None:
    stages = ", ".join(f"{stage} {timer.median(stage):.3f}" for stage in STAGES)
    print(f"{name}: {timer.total:.3f} s for {frames} frames ({timer.total / frames:.3f} s a frame); seconds: {stages}")


def main() -> None:
    arguments = parse()
    device, dtype = torch.device(arguments.device), DTYPES[arguments.dtype]
    plain_dtype = DTYPES[arguments.plain_dtype or arguments.dtype]
    frames = arguments.frames or (25 if device.type == "cuda" else 3)
    clip = torch.rand(frames, 3, arguments.size, arguments.size, device=device)
    ours = AdcVSRRestorer(random_network(device).to(dtype))
    plain = make_plain(random_network(device).to(plain_dtype))
    if arguments.compile:
        compiled(ours)
    together = max(1, DECODED_PIXELS // (4 * arguments.size) ** 2)
    results = {}
    timers = {"plain": Timer(device), "ours": Timer(device)}
    with torch.no_grad():
        for _ in range(arguments.runs + 1):
            results["plain"] = run(plain, clip, timers["plain"], frames)
            results["ours"] = run(ours, clip, timers["ours"], together)
    for timer in timers.values():
        timer.seconds = {stage: seconds[1:] for stage, seconds in timer.seconds.items()}
    name = torch.cuda.get_device_name() if device.type == "cuda" else platform.processor() or platform.machine()
    print(f"{name}, torch {torch.__version__}, {torch.get_num_threads()} threads, {arguments.size}x{arguments.size} x4")
    report(f"plain {plain_dtype}", timers["plain"], frames)
    report(f"ours  {dtype}", timers["ours"], frames)
    difference = (results["ours"] - results["plain"]).abs().max() / results["plain"].std()
    print(f"largest difference: {difference:.2e} of the plain result's deviation")
    print(f"peak memory of both together: {peak_memory(device) / 2**30:.2f} GiB")
    print(f"ratio ours/plain: {timers['ours'].total / timers['plain'].total:.3f}")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
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
