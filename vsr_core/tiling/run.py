"""Compute a clip tile by tile, or some frames after others; on lack of memory halve the tile and start over."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from ..errors import MemoryLimitError
from ..runtime import Runtime
from .axis import Span, split, weights


class Box(NamedTuple):
    rows: Span
    columns: Span

    def cut(self, clip: Tensor, numerator: int = 1, denominator: int = 1) -> Tensor:
        """Return this part of a clip that has numerator / denominator times as many cells on each axis."""
        rows, columns = (span.scaled(numerator, denominator) for span in self)
        return clip[..., rows.start : rows.stop, columns.start : columns.stop]


class Grid(NamedTuple):
    """Everything in input pixels; results have numerator / denominator times as many cells."""

    height: int
    width: int
    tile: int
    overlap: int
    align: int
    least: int
    """Smallest tile to fall back to."""
    numerator: int
    denominator: int


Compute = Callable[[Box], Tensor]


def run_tiles(
    compute: Compute, grid: Grid, runtime: Runtime, store: torch.device, restart: Callable[[], None] = lambda: None
) -> tuple[Tensor, int]:
    """Return the blended results of `compute` on all tiles, and the tile size that fitted.

    `restart` is called before all tiles are computed again, smaller. A result that needs no blending stays where it
    was computed; a blended one is in float32 on `store`.
    Raises MemoryLimitError if even the smallest tile does not fit.
    """
    tile = grid.tile
    while True:
        try:
            return _run_once(compute, grid._replace(tile=tile), runtime, store), tile
        except Exception as error:
            if not runtime.is_out_of_memory(error):
                raise
            smaller = max(grid.least, min(tile, max(grid.height, grid.width)) // 2 // grid.align * grid.align)
            if smaller >= tile:
                raise MemoryLimitError(
                    f"Out of memory even with tiles of {tile} pixels. Choose a shorter window, a smaller input, "
                    "dtype fp16, or the CPU."
                ) from error
            tile = smaller
        restart()
        runtime.empty_cache()


def run_spans(compute: Callable[[slice], Tensor], length: int, size: int, overlap: int) -> Tensor:
    """Return the blended results (length, C, H, W) of `compute` on spans of `size` frames that share `overlap`."""
    spans = split(length, size, min(overlap, size // 2))
    if len(spans) == 1:
        return compute(slice(length))
    blended = None
    for span, weight in zip(spans, weights(spans)):
        result = compute(slice(*span)).float()
        if blended is None:
            blended = result.new_zeros(length, *result.shape[1:])
        blended[slice(*span)] += result * weight.to(result).view(-1, 1, 1, 1)
    return blended


def _run_once(compute: Compute, grid: Grid, runtime: Runtime, store: torch.device) -> Tensor:
    overlap = min(grid.overlap, grid.tile // 2 // grid.align * grid.align)
    rows, columns = (split(length, grid.tile, overlap, align=grid.align) for length in (grid.height, grid.width))
    if len(rows) == len(columns) == 1:
        runtime.check_stopped()
        return compute(Box(rows[0], columns[0]))
    factor = (grid.numerator, grid.denominator)
    row_weights = weights([span.scaled(*factor) for span in rows])
    column_weights = weights([span.scaled(*factor) for span in columns])
    whole = Box(Span(0, grid.height), Span(0, grid.width))
    blended = None
    for row, row_weight in zip(rows, row_weights):
        for column, column_weight in zip(columns, column_weights):
            runtime.check_stopped()
            result = compute(Box(row, column)).to(store, torch.float32)
            if blended is None:
                size = (span.scaled(*factor).length for span in whole)
                blended = result.new_zeros(*result.shape[:2], *size)
            weight = row_weight[:, None] * column_weight
            Box(row, column).cut(blended, *factor).add_(result * weight.to(store))
    return blended
