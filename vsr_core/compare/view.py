"""Ways to see two clips of one size at once. Each paints frame after frame on a canvas (N, 3, H', W')."""

from math import pi, sin
from typing import ClassVar

import torch
from torch import Tensor

from .picture import GAP, title_patch

SWING = 60
"""Frames in which the divider goes to both edges and back, about; it swings a whole number of times per clip."""
STRIP_FRAMES = 4
CORNER = 4
"""Pixels between a title and the edges of its frame."""


class Divider:
    """Before on the left of a line and after on the right; the line starts in the middle and swings."""

    title_corners: ClassVar = ("left", "right")

    def __init__(self, count: int, height: int, width: int):
        """Make room for `count` frames of `height` x `width` pixels."""
        self.frames = range(count)
        self.canvas = torch.empty(count, 3, height, width)
        self.swings = max(1, round(count / SWING))

    def paint(self, t: int, before: Tensor, after: Tensor) -> None:
        width = after.shape[-1]
        at = round(width * (1 + sin(2 * pi * self.swings * t / len(self.frames))) / 2)
        self.canvas[t, :, :, :at] = before[..., :at]
        self.canvas[t, :, :, at:] = after[..., at:]
        half = max(1, width // 640)
        self.canvas[t, :, :, max(0, at - half - 1) : at + half + 1] = 0  # a dark rim shows the line on white, too
        self.canvas[t, :, :, max(0, at - half) : at + half] = 1


class SideBySide:
    """Before on the left and after on the right."""

    title_corners: ClassVar = ("left", "left")

    def __init__(self, count: int, height: int, width: int):
        """Make room for `count` frames of `height` x `width` pixels."""
        self.frames = range(count)
        self.canvas = torch.ones(count, 3, height, 2 * width + GAP)

    def paint(self, t: int, before: Tensor, after: Tensor) -> None:
        width = after.shape[-1]
        self.canvas[t, :, :, :width] = before
        self.canvas[t, :, :, width + GAP :] = after


class Strip:
    """One picture: some frames, evenly spread over the clip, before in the upper row and after in the lower one."""

    title_corners: ClassVar = ("left", "left")

    def __init__(self, count: int, height: int, width: int):
        """Make room for frames of `height` x `width` pixels out of `count`."""
        columns = min(count, STRIP_FRAMES)
        self.frames = [(2 * i + 1) * count // (2 * columns) for i in range(columns)]
        self.canvas = torch.ones(1, 3, 2 * height + GAP, columns * (width + GAP) - GAP)

    def paint(self, t: int, before: Tensor, after: Tensor) -> None:
        height, width = after.shape[-2:]
        left = self.frames.index(t) * (width + GAP)
        self.canvas[0, :, :height, left : left + width] = before
        self.canvas[0, :, height + GAP :, left : left + width] = after


VIEWS = {"divider": Divider, "side by side": SideBySide, "strip": Strip}


def write_title(frame: Tensor, title: str, corner: str | None) -> Tensor:
    """Return a copy of `frame` (3, H, W) with `title` in its top "left" or "right" corner, as far as it fits.

    Without a corner return `frame` as it is.
    """
    if corner is None:
        return frame
    height, width = frame.shape[-2:]
    patch = title_patch(title, height)[:, : max(0, height - CORNER), : max(0, width - CORNER)]
    left = CORNER if corner == "left" else max(0, width - CORNER - patch.shape[-1])
    frame = frame.clone()
    frame[:, CORNER : CORNER + patch.shape[-2], left : left + patch.shape[-1]] = patch.to(frame)
    return frame
