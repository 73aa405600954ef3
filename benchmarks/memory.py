"""Compare an architecture's memory estimate with what its stages really use, at paper size with random weights.

    python benchmarks/memory.py ARCHITECTURE [--device cpu|cuda] [--dtype fp32|bf16|fp16] [--frames 4] [--size 128]

On a CPU the figure is how much the process grows above its size with weights and input, so it needs a fresh process
per stage, which this script starts itself.
"""

import argparse
import subprocess
import sys
from importlib import import_module

import psutil
import torch

from vsr_core.architectures import ARCHITECTURES
from vsr_core.cli.summary import peak_memory
from vsr_core.contract import Stage
from vsr_core.runtime.standalone import DTYPES
from vsr_core.tiling.groups import frames_of, latents_of

STAGES = ("encode", "step", "decode")


@torch.no_grad()
def measure(stage: Stage, arguments: argparse.Namespace) -> None:
    device, dtype = torch.device(arguments.device), DTYPES[arguments.dtype]
    torch.set_default_dtype(dtype)  # a float32 copy of the weights would be the peak
    restorer = import_module(f"plain.{arguments.architecture}").build_ours(device, dtype)
    needs, side = restorer.requirements, arguments.size
    latents = latents_of(arguments.frames, needs.frames_per_latent, start=True)
    frames = frames_of(latents, needs.frames_per_latent, start=True)
    clip = torch.rand(frames, 3, side, side, device=device)
    cells = side // needs.latent_stride
    latent = torch.randn(latents, needs.latent_channels, cells, cells, device=device, dtype=dtype)
    start = latent
    if stage == "step" and restorer.fusion is None:  # from the smallest picture: encoding may need more than the step
        channels = restorer.encode(clip[:1, :, : needs.multiple, : needs.multiple]).shape[1]
        start = torch.randn(latents, channels, cells, cells, device=device, dtype=dtype)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
    else:
        before = psutil.Process().memory_info().rss
    if stage == "encode":
        restorer.encode(clip)
    elif stage == "step":
        restorer.step(start, noise=torch.randn_like(start) if needs.noise else None)
    else:
        restorer.decode(latent, clip)
    used = peak_memory(device) - before
    estimate = restorer.memory_bytes(stage, latents * needs.frames_per_latent, side, side, dtype)
    print(f"{stage}: used {used / 2**20:.0f} MiB, estimate {estimate / 2**20:.0f} MiB, ratio {estimate / used:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("architecture", choices=ARCHITECTURES, metavar="ARCHITECTURE", help=", ".join(ARCHITECTURES))
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--dtype", choices=DTYPES, default="fp32")
    parser.add_argument("--frames", type=int, default=4, help="rounded up to whole latent frames")
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
