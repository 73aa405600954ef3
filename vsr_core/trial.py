"""What restoring takes, tried on the first frames."""

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

import psutil
import torch
from torch import Tensor

from .clip import check_clip
from .contract import Restorer
from .restore import Settings, decode, upscale, upscale_fused
from .runtime import Runtime
from .tiling import Tiling
from .tiling.groups import latents_of
from .tiling.plan import plan_windows

FIRST_RUN_SECONDS = 3.0
"""What takes less is run a second time: the first run pays for loading and setting up."""
Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class Trial(Generic[Result]):
    """What a computation gave and took."""

    result: Result
    seconds: float
    vram: int
    """Most bytes on the device; 0 on a CPU."""


@dataclass(frozen=True, kw_only=True)
class ClipEstimate:
    """Expectations for a clip, measured on its first window."""

    frames: int
    height: int
    width: int
    upscaling: float
    """Seconds that `upscale` takes."""
    decoding: float
    """Seconds that `decode` takes."""
    ram: int
    """Most bytes of the whole process."""
    vram: int
    """Most bytes on the device; 0 on a CPU."""
    sample: int
    """How many frames, from the first on, this was measured on."""
    before: Tensor = field(repr=False, compare=False)
    """One of them, (3, h, w) in 0..1."""
    after: Tensor = field(repr=False, compare=False)
    """The same restored, (3, H, W) in 0..1."""

    def __str__(self) -> str:
        """Return a table to read; nodes have room for its first two lines."""
        parts = [duration_in_words(seconds) for seconds in (self.upscaling, self.decoding)]
        return table(
            {
                "time": time_in_words(self.upscaling + self.decoding, self.frames),
                "memory": memory_in_words(self.ram, self.vram),
                "result": f"{self.frames} frames of {self.width}x{self.height}",
                "of the time": f"{parts[0]} for the step, {parts[1]} for decoding",
                "measured on": f"the first {self.sample} frames",
            }
        )


def estimate_clip(
    clip: Tensor, restorer: Restorer, runtime: Runtime, settings: Settings, fused: Tensor | None = None
) -> ClipEstimate:
    """Restore the first window of a clip (T, 3, H, W) in 0..1, from its `fused` latent if given, and extrapolate.

    Raises what `upscale`, `upscale_fused` and `decode` raise.
    """
    sample = check_clip(clip)[: plan_windows(restorer, settings.tiling).window]
    count, shown = len(sample), len(sample) // 2

    def latent() -> Tensor:
        if fused is None:
            return upscale(sample, restorer, runtime, settings)
        latents = latents_of(count, restorer.requirements.frames_per_latent, start=True)
        return upscale_fused(fused[:latents], restorer, runtime, settings)

    first = tried(latent, runtime.device)
    second = tried(lambda: decode(first.result, sample, restorer, runtime, settings), runtime.device)
    height, width = second.result.shape[-2:]
    return ClipEstimate(
        frames=len(clip),
        height=height,
        width=width,
        upscaling=first.seconds / count * restored_frames(len(clip), restorer, settings.tiling),
        decoding=second.seconds / count * len(clip),
        ram=peak_ram() + (len(clip) - count) * (second.result[0].nbytes + first.result[0].nbytes),
        vram=max(first.vram, second.vram),
        sample=count,
        before=sample[shown],
        after=second.result[shown],
    )


def restored_frames(frames: int, restorer: Restorer, tiling: Tiling) -> float:
    """Return for how many frames the step is taken in a shot of so many: windows share some, unless they fuse."""
    window, overlap = plan_windows(restorer, tiling)
    if restorer.fusion is not None or frames <= window:
        return frames
    return frames + (frames - window) / (window - overlap) * overlap


def tried(compute: Callable[[], Result], device: torch.device) -> Trial[Result]:
    """Return what `compute` gives and takes; it is called twice if it takes little time."""
    first = _measured(compute, device)
    if first.seconds >= FIRST_RUN_SECONDS:
        return first
    second = _measured(compute, device)
    return replace(second, vram=max(first.vram, second.vram))


def peak_ram() -> int:
    """Return the most bytes of RAM that this process has used so far."""
    try:
        import resource
    except ImportError:  # Windows
        return psutil.Process().memory_info().peak_wset
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def table(rows: Mapping[str, str]) -> str:
    """Return names and values below each other."""
    return "\n".join(f"{name:<13}{value}" for name, value in rows.items())


def time_in_words(seconds: float, frames: int) -> str:
    """Return, for example, "3 min 20 s (0.29 fps)"."""
    return f"{duration_in_words(seconds)} ({frames / seconds:.2f} fps)"


def memory_in_words(ram: int, vram: int) -> str:
    """Return, for example, "1.5 GiB RAM, 6.0 GiB VRAM"."""
    return f"{ram / 2**30:.1f} GiB RAM, " + (f"{vram / 2**30:.1f} GiB VRAM" if vram else "no VRAM")


def duration_in_words(seconds: float) -> str:
    """Return, for example, "2 h 05 min", "3 min 20 s" or "4.1 s"."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{seconds:.1f} s"


def _measured(compute: Callable[[], Result], device: torch.device) -> Trial[Result]:
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    start = time.perf_counter()
    result = compute()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return Trial(result=result, seconds=time.perf_counter() - start, vram=_peak_vram(device))


def _peak_vram(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return torch.mps.driver_allocated_memory() if device.type == "mps" else 0
