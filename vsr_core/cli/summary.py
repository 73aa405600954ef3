"""What a run says at its end."""

import torch

from ..runtime import StandaloneRuntime
from ..streaming import Result
from ..trial import peak_ram


def closing_line(result: Result, seconds: float, runtime: StandaloneRuntime) -> str:
    """Return frames, speed, seconds per phase, peak memory and output size in one line."""
    phases = " / ".join(f"{stage} {spent:.1f}" for stage, spent in runtime.seconds.items())
    return (
        f"{result.frames} frames in {seconds:.1f} s ({result.frames / max(seconds, 1e-9):.2f} fps); seconds: {phases}; "
        f"peak memory {peak_memory(runtime.device) / 2**30:.2f} GiB on {runtime.device.type}; "
        f"{result.width}x{result.height} -> {result.path}"
    )


def notes(result: Result) -> list[str]:
    """Return sentences on what else there is to know."""
    kept = [f"{result.resumed} of {result.segments} segments were done before."] if result.resumed else []
    return [*kept, *result.notes]


def peak_memory(device: torch.device) -> int:
    """Return the most bytes this process has used so far: on the GPU, else of RAM."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    if device.type == "mps":
        return torch.mps.driver_allocated_memory()
    return peak_ram()
