"""Choose window and tile sizes from the architecture's wishes and the free memory."""

from typing import NamedTuple

import torch

from ..contract import Restorer, Stage
from ..errors import SettingError
from .run import Grid
from .settings import Tiling

SHARE = 0.8
"""Part of the free memory that a plan may use; the rest is for fragmentation and estimates that were too low."""
PIXELS_AT_ONCE: dict[Stage, int] = {"encode": 2**16, "step": 2**19, "decode": 2**16}
"""Output pixels computed at once on a CPU. An autoencoder is up to 10 % slower with more and stops later; the step is
up to 35 % faster with a few frames, since its weights are read once for all (benchmarks/results/osdiffvsr_cpu.md)."""
PIXELS_AT_ONCE_ELSEWHERE = 2**22


class WindowPlan(NamedTuple):
    """Frames: of a shot's first window, and shared by two."""

    window: int
    overlap: int


def plan_windows(restorer: Restorer, tiling: Tiling) -> WindowPlan:
    """Return the frames per window and shared by two, rounded up to whole latent frames.

    Raises SettingError if they do not fit each other.
    """
    needs, group = restorer.requirements, restorer.requirements.frames_per_latent
    window = _rounded((tiling.window or needs.window) - 1, group) + 1
    overlap = min(needs.overlap, window // 2 // group * group) if tiling.overlap is None else tiling.overlap
    overlap = _rounded(overlap, group)
    if overlap >= window:
        raise SettingError(f"The overlap is {overlap} frames; it must be smaller than the window, which is {window}.")
    return WindowPlan(window, overlap)


def plan_grid(
    restorer: Restorer,
    stage: Stage,
    tiling: Tiling,
    *,
    frames: int,
    height: int,
    width: int,
    dtype: torch.dtype,
    free: int,
) -> Grid:
    """Return the tiles of a stage for padded frames of `height` x `width` pixels, with `free` bytes to use."""
    needs = restorer.requirements
    overlap = _rounded(needs.tile_overlap if tiling.tile_overlap is None else tiling.tile_overlap, needs.multiple)
    tile = least = _smallest_tile(restorer, tiling)
    if tiling.tile is None:
        tile = _largest_tile(restorer, stage, frames, height, width, dtype, free, least)
    else:
        least = min(needs.min_tile, tile)
    if tiling.tile_overlap is None:
        overlap = min(overlap, tile // 2 // needs.multiple * needs.multiple)
    elif overlap >= tile:
        raise SettingError(
            f"The tile overlap comes to {overlap} pixels; it must be smaller than the tile, which comes to {tile} "
            f"(both are rounded up to multiples of {needs.multiple})."
        )
    to_output = (needs.scale, 1) if stage == "decode" else (1, needs.latent_stride)
    return Grid(height, width, tile, overlap, needs.multiple, least, *to_output)


def latents_together(
    restorer: Restorer, tiling: Tiling, total: int, *, height: int, width: int, dtype: torch.dtype, free: int
) -> int:
    """Return how many of `total` latent frames the step may mix: as many as fit into `free` bytes, in small tiles."""
    group, tile = restorer.requirements.frames_per_latent, _smallest_tile(restorer, tiling)
    height, width = min(tile, height), min(tile, width)
    for count in range(total, 1, -1):
        if restorer.memory_bytes("step", count * group, height, width, dtype) <= free * SHARE:
            return count
    return 1


def frames_at_once(
    restorer: Restorer, stage: Stage, grid: Grid, dtype: torch.dtype, *, free: int, device: torch.device
) -> int:
    """Return how many frames of one tile to compute together, with `free` bytes to use."""
    height, width = min(grid.tile, grid.height), min(grid.tile, grid.width)
    most = PIXELS_AT_ONCE[stage] if device.type == "cpu" else PIXELS_AT_ONCE_ELSEWHERE
    by_size = most // (height * width * restorer.requirements.scale**2)
    by_memory = int(free * SHARE) // max(1, restorer.memory_bytes(stage, 1, height, width, dtype))
    return max(1, min(by_size, by_memory))


def _smallest_tile(restorer: Restorer, tiling: Tiling) -> int:
    """Return the smallest tile that a plan may choose: the user's, if there is one."""
    needs = restorer.requirements
    if tiling.tile is not None:
        return _rounded(tiling.tile, needs.multiple)
    return max(needs.min_tile, 2 * _rounded(tiling.tile_overlap or 0, needs.multiple))


def _largest_tile(
    restorer: Restorer, stage: Stage, frames: int, height: int, width: int, dtype: torch.dtype, free: int, least: int
) -> int:
    needs = restorer.requirements
    tile = max(least, min(_rounded(max(height, width), needs.multiple), needs.max_tile))
    while tile > least:
        if restorer.memory_bytes(stage, frames, min(tile, height), min(tile, width), dtype) <= free * SHARE:
            break
        tile -= needs.multiple
    return tile


def _rounded(pixels: int, multiple: int) -> int:
    return -(-pixels // multiple) * multiple
