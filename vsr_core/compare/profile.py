"""Temporal profiles: one row of pixels over time, which shows flicker as jagged lines (AdcVSR, figure 3)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from math import ceil

import torch
from PIL import Image
from torch import Tensor

from ..metrics.measure import Frames
from .picture import GAP, titled, to_picture

LOWEST = 96
"""Pixels: the lines of few frames are repeated until a profile is at least so high."""


class Profile:
    """Collects the middle row of pixels of every frame of the clips that pass by."""

    def __init__(self):
        """Begin empty."""
        self.lines: dict[str, list[Tensor]] = defaultdict(list)

    def watch(self, moments: Iterable[Frames]) -> Iterator[Frames]:
        """Yield the moments unchanged; frames are (3, H, W) in 0..1."""
        for moment in moments:
            for row, frame in moment.items():
                self.lines[row].append(frame[:, frame.shape[1] // 2].clone())  # a view would keep the whole frame
            yield moment

    def picture(self) -> Image.Image:
        """Draw the profiles of all rows below each other, width across and time downwards."""
        profiles = {row: torch.stack(lines, dim=1) for row, lines in self.lines.items()}
        pictures = [titled(to_picture(stretched(profile)), row) for row, profile in profiles.items()]
        width, height = pictures[0].size
        sheet = Image.new("RGB", (width, len(pictures) * (height + GAP) - GAP), "white")
        for place, picture in enumerate(pictures):
            sheet.paste(picture, (0, place * (height + GAP)))
        return sheet


def stretched(profile: Tensor) -> Tensor:
    """Repeat the lines of (3, T, W) as often as needed."""
    return profile.repeat_interleave(ceil(LOWEST / profile.shape[1]), dim=1)
