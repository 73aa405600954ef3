"""Noise that depends on a frame's number in the video, so that every way to cut the video draws the same."""

from collections.abc import Sequence

import torch
from torch import Tensor

FRAMES = 1 << 32
SEEDS = 1 << 63


def frame_noise(shape: tuple[int, ...], seed: int, frames: Sequence[int]) -> Tensor:
    """Return standard normal noise (len(frames), *shape) on the CPU; that of a frame depends on `seed` and number."""
    generators = (torch.Generator().manual_seed((seed * FRAMES + frame) % SEEDS) for frame in frames)
    return torch.stack([torch.randn(shape, generator=generator) for generator in generators])
