"""Windows over time: read as they are needed, never across a scene cut."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from .axis import ramp
from .cuts import mark_cuts


class Window(NamedTuple):
    clip: Tensor
    """(T, 3, H, W)"""
    head: int
    """Frames shared with the window before; 0 at the start of a shot."""
    tail: int
    """Frames shared with the next window; 0 at the end of a shot."""
    start: int
    """Number of the first frame."""
    starts_shot: bool

    def shifted(self, frames: int) -> "Window":
        """Return the window with numbers that are larger by `frames`."""
        return self._replace(start=self.start + frames)


def windows(
    frames: Iterable[Tensor], size: int, overlap: int, *, scene_cuts: bool, first: int | None = None
) -> Iterator[Window]:
    """Yield windows of `size` frames that share `overlap`; the last of a shot is as short as what is left.

    The first of a shot has `first` frames, more than `overlap`; None = `size`. Holds at most `size` + 2 frames
    (3, H, W) at a time.
    """
    marked = mark_cuts(frames) if scene_cuts else ((frame, index == 0) for index, frame in enumerate(frames))
    held: list[Tensor] = []
    head, start, starts_shot = 0, 0, True
    for frame, is_cut in marked:
        if is_cut and held:
            yield Window(torch.stack(held), head, 0, start, starts_shot)
            held, head, start, starts_shot = [], 0, start + len(held), True
        elif len(held) == (first or size if starts_shot else size):
            yield Window(torch.stack(held), head, overlap, start, starts_shot)
            start += len(held) - overlap
            held, head, starts_shot = held[len(held) - overlap :], overlap, False
        held.append(frame)
    if held:
        yield Window(torch.stack(held), head, 0, start, starts_shot)


def crossfade(before: Tensor, after: Tensor) -> Tensor:
    """Fade from `before` to `after`, both (T, C, H, W), over their T shared frames."""
    rising = ramp(len(after)).to(after).view(-1, 1, 1, 1)
    return torch.lerp(before.to(after), after, rising)
