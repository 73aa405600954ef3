"""Compare AdcVSR's memory estimate with what its stages really use, at paper size with random weights.

    python benchmarks/memory.py [--device cpu|cuda] [--dtype fp32|bf16|fp16] [--frames 4] [--size 128]

On a CPU the figure is how much the process grows above its size with weights and input, so it needs a fresh process
per stage, which this script starts itself.
"""

import argparse
import subprocess
import sys

import psutil
import torch

from vsr_core.architectures.adc_vsr import PAPER
from vsr_core.architectures.adc_vsr.network import AdcVSR
from vsr_core.architectures.adc_vsr.restorer import AdcVSRRestorer
from vsr_core.cli.summary import peak_memory
from vsr_core.runtime.standalone import DTYPES

STAGES = ("step", "decode")


@torch.no_grad()
def measure(stage: str, arguments: argparse.Namespace) -> None:
    device, dtype = torch.device(arguments.device), DTYPES[arguments.dtype]
    torch.set_default_dtype(dtype)  # a float32 copy of the weights would be the peak
    with torch.device(device):
        restorer = AdcVSRRestorer(AdcVSR(PAPER).eval())
    side, frames = arguments.size, arguments.frames
    clip = torch.rand(frames, 3, side, side, device=device)
    if stage == "step":
        latent = restorer.encode(clip)
    else:
        latent = torch.randn(frames, PAPER.feature_channels, side // 2, side // 2, device=device, dtype=dtype)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
    else:
        before = psutil.Process().memory_info().rss
    restorer.step(latent) if stage == "step" else restorer.decode(latent, clip)
    used = peak_memory(device) - before
    estimate = restorer.memory_bytes(stage, frames, side, side, dtype)
    print(f"{stage}: used {used / 2**20:.0f} MiB, estimate {estimate / 2**20:.0f} MiB, ratio {estimate / used:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--dtype", choices=DTYPES, default="fp32")
    parser.add_argument("--frames", type=int, default=4)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--stage", choices=STAGES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.stage:
        measure(arguments.stage, arguments)
        return
    for stage in STAGES:
        subprocess.run([sys.executable, *sys.argv, "--stage", stage], check=True)


if __name__ == "__main__":
    main()
