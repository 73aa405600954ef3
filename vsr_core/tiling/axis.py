"""Cut one axis into overlapping spans and weigh them. Rows, columns and frames all use this."""

from typing import NamedTuple

import torch
from torch import Tensor


class Span(NamedTuple):
    start: int
    stop: int

    @property
    def length(self) -> int:
        """Return the number of cells."""
        return self.stop - self.start

    def scaled(self, numerator: int, denominator: int = 1) -> "Span":
        """Return the span on an axis with numerator / denominator times as many cells."""
        return Span(self.start * numerator // denominator, self.stop * numerator // denominator)


def split(length: int, size: int, overlap: int, *, align: int = 1) -> list[Span]:
    """Cover 0..length by evenly spread spans of `size` cells that share at least `overlap`.

    All four numbers are multiples of `align`, and so are all starts. A shorter axis is one span.
    """
    if size >= length:
        return [Span(0, length)]
    if not 0 <= overlap < size:
        raise ValueError(f"Spans of {size} cells cannot share {overlap}.")
    gaps = -(-(length - size) // (size - overlap))
    starts = [index * (length - size) // align // gaps * align for index in range(gaps + 1)]
    return [Span(start, start + size) for start in starts]


def ramp(cells: int) -> Tensor:
    """Return `cells` weights rising linearly inside 0..1, neither end included; ramp + reversed ramp = 1."""
    return (torch.arange(cells, dtype=torch.float32) + 0.5) / max(cells, 1)


def weights(spans: list[Span]) -> list[Tensor]:
    """Return one weight per cell and span, positive, summing to 1 over the spans of every cell.

    A span fades in over what it shares with the one before and out over what it shares with the next; at the ends of
    the axis nothing fades.
    """
    length = max(span.stop for span in spans)
    total = torch.zeros(length)
    faded = []
    for index, span in enumerate(spans):
        weight = torch.ones(span.length)
        if index > 0 and (shared := spans[index - 1].stop - span.start) > 0:
            weight[:shared] *= ramp(shared)
        if index < len(spans) - 1 and (shared := span.stop - spans[index + 1].start) > 0:
            weight[-shared:] *= ramp(shared).flip(0)
        total[span.start : span.stop] += weight
        faded.append(weight)
    assert (total > 0).all(), "spans leave a gap"
    return [weight / total[span.start : span.stop] for span, weight in zip(spans, faded)]
