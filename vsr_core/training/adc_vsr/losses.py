"""AdcVSR's own loss terms: pure functions of frames, and of what a discriminator says."""

from collections.abc import Callable
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor

Distance = Callable[[Tensor, Tensor], Tensor]
"""Of two batches of frames (N, 3, H, W) in 0..1: (N,)."""


class Verdict(NamedTuple):
    """What the two heads say of each clip, frame and place; above 0 = real."""

    detail: Tensor
    """(B, T, C, H, W)"""
    consistency: Tensor
    """(B, T, C', H, W)"""


class Labels(NamedTuple):
    """What a kind of clip shall be taken for by each head: -1 = fake, 0 = unlabelled, 1 = real."""

    detail: int
    consistency: int


KINDS = {
    "student": Labels(-1, -1),
    "video": Labels(0, 1),
    "shuffled video": Labels(0, -1),
    "repeated image": Labels(1, 1),
    "unrelated images": Labels(1, -1),
}
"""Equation 5."""


def frame_distance(distance: Distance, student: Tensor, teacher: Tensor) -> Tensor:
    """Return the mean perceptual distance of frames (N, 3, H, W) in -1..1 (equation 2, second term)."""
    frames = ((frames.float().clamp(-1, 1) + 1) / 2 for frames in (student, teacher))
    return distance(*frames).float().mean()


def adversarial(student: Verdict) -> Tensor:
    """Return what the student pays for looking fake (equations 2 and 3, last term), summed over both heads."""
    return sum(F.softplus(-head.float()).mean() for head in student)


def discrimination(kinds: Verdict) -> Tensor:
    """Return the discriminator's loss (equation 4); its batch holds KINDS in their order, equally many of each.

    An unlabelled head adds log 2 and no gradient, as the equation is written.
    """
    verdicts = zip(*(head.float().chunk(len(KINDS)) for head in kinds))
    return sum(_misjudged(Verdict(*verdict), labels) for verdict, labels in zip(verdicts, KINDS.values()))


def _misjudged(verdict: Verdict, labels: Labels) -> Tensor:
    return sum(F.softplus(-label * head).mean() for head, label in zip(verdict, labels))
