"""Compare our Wan2.1 video autoencoder with diffusers' AutoencoderKLWan: same process, same random weights, same dtype.

    python benchmarks/vae.py [--device cpu|cuda] [--dtype fp32|bf16|fp16] [--frames 21] [--size 256 | --size 1088x1920]

Seconds are medians over `--runs` runs in turn after one that is not counted. Memory is what a part needs beside
weights, input and result's storage on the CPU: how much a fresh process grows, which this script starts itself.
The share of the arithmetic limit compares with the fastest 2D convolution of this autoencoder's shapes, as measured
here.
"""

import argparse
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import psutil
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode

from vsr_core.architectures.duo_vsr import PAPER
from vsr_core.architectures.duo_vsr.autoencoder import Decoder, Encoder, build_autoencoder
from vsr_core.cli.summary import peak_memory
from vsr_core.runtime.standalone import DTYPES

PARTS = ("encode", "decode")
NAMES = ("diffusers", "ours")
LAYERS = ((96, 256), (192, 128), (384, 64))
"""Channels and side of the pictures whose convolutions set the arithmetic limit."""


def build(device: torch.device, dtype: torch.dtype) -> dict[str, nn.Module]:
    """Return both autoencoders with the same weights."""
    from diffusers import AutoencoderKLWan

    torch.manual_seed(0)
    default = torch.get_default_dtype()
    torch.set_default_dtype(dtype)  # a float32 copy of the weights would be the peak
    with device:
        theirs = AutoencoderKLWan().eval().requires_grad_(False)
    torch.set_default_dtype(default)
    with torch.device("meta"):
        ours = build_autoencoder(PAPER)
    ours.load_state_dict(theirs.state_dict(), assign=True)
    return {"diffusers": theirs, "ours": ours.eval().requires_grad_(False)}


def runner(name: str, part: str, vae: nn.Module) -> Callable[[Tensor], Tensor]:
    """Return the function that runs `part` as `name` does it."""
    if name == "ours":
        return Encoder(vae) if part == "encode" else Decoder(vae)
    if part == "encode":
        return lambda clip: vae.encode(clip).latent_dist.mean
    return lambda latent: vae.decode(latent).sample


def inputs(part: str, arguments: argparse.Namespace) -> Tensor:
    (height, width), frames = arguments.size, arguments.frames
    shape = (3, frames, height, width) if part == "encode" else (16, (frames + 3) // 4, height // 8, width // 8)
    generator = torch.Generator().manual_seed(1)
    values = torch.rand(1, *shape, generator=generator) * 2 - 1
    return values.to(arguments.device, DTYPES[arguments.dtype])


def seconds(run: Callable[[], object], device: torch.device) -> float:
    wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    wait()
    start = time.perf_counter()
    run()
    wait()
    return time.perf_counter() - start


def convolution_limit(device: torch.device, dtype: torch.dtype) -> float:
    """Return the most operations per second that a 3x3 convolution of pictures, time in the batch, reaches."""
    best = 0.0
    for channels, side in LAYERS:
        x = torch.randn(4, channels, side, side, device=device, dtype=dtype).to(memory_format=torch.channels_last)
        weight = torch.randn(channels, channels, 3, 3, device=device, dtype=dtype)
        fastest = min(seconds(lambda x=x, w=weight: F.conv2d(x, w, padding=1), device) for _ in range(5))
        best = max(best, 2 * 9 * channels * x.numel() / fastest)
    return best


def operations(run: Callable[[Tensor], Tensor], x: Tensor) -> int:
    """Count the floating-point operations of convolutions and products, without computing them."""
    with FakeTensorMode(allow_non_fake_inputs=True) as mode, FlopCounterMode(display=False) as counter:
        run(mode.from_tensor(x))
    return counter.get_total_flops()


def measure_memory(name: str, part: str, arguments: argparse.Namespace) -> None:
    device, x = torch.device(arguments.device), inputs(part, arguments)
    vaes = build(device, DTYPES[arguments.dtype])
    run = runner(name, part, vaes[name])
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
    else:
        before = psutil.Process().memory_info().rss
    run(x)
    print(peak_memory(device) - before)


def memory(name: str, part: str) -> int:
    """Return the bytes that a fresh process needs for `part`."""
    command = [sys.executable, *sys.argv, "--measure", name, part]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1])


@torch.inference_mode()
def main() -> None:
    arguments = parse()
    if arguments.measure:
        measure_memory(*arguments.measure, arguments)
        return
    device, dtype = torch.device(arguments.device), DTYPES[arguments.dtype]
    parts = [arguments.part] if arguments.part else PARTS
    name = torch.cuda.get_device_name() if device.type == "cuda" else platform.processor() or platform.machine()
    height, width = arguments.size
    print(f"{name}, torch {torch.__version__}, {torch.get_num_threads()} threads, {arguments.dtype}")
    print(f"{arguments.frames} frames of {width}x{height}, median of {arguments.runs} runs")
    needed = {(who, part): memory(who, part) for part in parts for who in NAMES}
    vaes, limit = build(device, dtype), convolution_limit(device, dtype)
    print(f"arithmetic limit (2D convolutions): {limit / 1e9:.0f} GFLOP/s")
    ratios = {part: compare(part, vaes, needed, limit, arguments) for part in parts}
    most = {who: max(needed[who, part] for part in parts) for who in NAMES}
    shown = " ".join(f"{part} {ratios[part]:.3f}" if part in ratios else f"{part} -" for part in PARTS)
    print(f"ratio ours/diffusers: {shown} memory {most['ours'] / most['diffusers']:.3f}")


def compare(
    part: str,
    vaes: dict[str, nn.Module],
    needed: dict[tuple[str, str], int],
    limit: float,
    arguments: argparse.Namespace,
) -> float:
    """Print how both do `part`; return the ratio of their seconds."""
    x, spent = inputs(part, arguments), {who: [] for who in NAMES}
    runs = {who: runner(who, part, vaes[who]) for who in NAMES}
    work = {who: operations(runs[who], x) for who in NAMES}
    results = {}
    for _ in range(arguments.runs + 1):
        for who in NAMES:
            spent[who].append(seconds(lambda who=who: results.update({who: runs[who](x)}), x.device))
    medians = {who: statistics.median(spent[who][1:]) for who in NAMES}
    for who in NAMES:
        effective = work["diffusers"] / medians[who] / limit
        print(
            f"{part} {who}: {medians[who]:.3f} s, {needed[who, part] / 2**30:.2f} GiB, {work[who] / 1e12:.2f} TFLOP, "
            f"{work[who] / medians[who] / limit:.0%} of the limit; all of diffusers' work at {effective:.0%} of it"
        )
    difference = (
        (results["ours"].clamp(-1, 1) - results["diffusers"])
        if part == "decode"
        else (results["ours"] - results["diffusers"])
    )
    print(f"{part}: largest difference {difference.abs().max() / results['diffusers'].std():.1e} deviations")
    return medians["ours"] / medians["diffusers"]


def size(text: str) -> tuple[int, int]:
    """Read `256`, or `1088x1920` for height and width."""
    height, _, width = text.partition("x")
    return int(height), int(width or height)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--dtype", choices=DTYPES, default="fp32")
    parser.add_argument("--size", type=size, default=(256, 256), help="pixels: 256, or 1088x1920 (height x width)")
    parser.add_argument("--frames", type=int, default=21)
    parser.add_argument("--runs", type=int, default=3, help="counted runs after one that is not")
    parser.add_argument("--part", choices=PARTS, help="default: both")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
