"""What a run says at its end."""

import sys
from pathlib import Path

import psutil
import torch

from ..runtime import StandaloneRuntime


def closing_line(frames: int, seconds: float, runtime: StandaloneRuntime, size: tuple[int, int], output: Path) -> str:
    """Return frames, speed, seconds per phase, peak memory and output size in one line."""
    phases = " / ".join(f"{stage} {spent:.1f}" for stage, spent in runtime.seconds.items())
    return (
        f"{frames} frames in {seconds:.1f} s ({frames / max(seconds, 1e-9):.2f} fps); seconds: {phases}; "
        f"peak memory {peak_memory(runtime.device) / 2**30:.2f} GiB on {runtime.device.type}; "
        f"{size[0]}x{size[1]} -> {output}"
    )


def peak_memory(device: torch.device) -> int:
    """Return the most bytes this process has used so far: on the GPU, else of RAM."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    if device.type == "mps":
        return torch.mps.driver_allocated_memory()
    try:
        import resource
    except ImportError:  # Windows
        return psutil.Process().memory_info().peak_wset
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
