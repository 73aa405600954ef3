"""Parts of frames at random places."""

from collections.abc import Iterable

import torch
from torch import Tensor

from ..schedulers.noise import generator


def random_parts(clips: Tensor, size: int, seed: int, items: Iterable[int]) -> Tensor:
    """Cut a square of `size` out of each of B clips (B, T, C, H, W), its place drawn by (seed, item); 0 = no cut."""
    if not size:
        return clips
    height, width = clips.shape[-2:]
    parts = []
    for clip, item in zip(clips, items):
        draws = generator(seed, item)
        top, left = (int(torch.randint(side - size + 1, (), generator=draws)) for side in (height, width))
        parts.append(clip[..., top : top + size, left : left + size])
    return torch.stack(parts)


def same_parts(*clips: Tensor, size: int, seed: int, items: Iterable[int]) -> list[Tensor]:
    """Cut the same `random_parts` out of clips of the same shape, and return them as frames (B T, C, size, size).

    For distances that look at frames in steps of several pixels, as LPIPS does: over parts that begin anywhere, no
    pattern in these steps makes frames look alike.
    """
    return [random_parts(clip, size, seed, items).flatten(0, 1) for clip in clips]
