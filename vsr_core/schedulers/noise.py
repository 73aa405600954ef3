"""Noise that depends on a frame's number in the video, so that every way to cut the video draws the same."""

from collections.abc import Sequence
from hashlib import blake2b

import torch
from torch import Tensor


def frame_noise(shape: tuple[int, ...], seed: int, frames: Sequence[int]) -> Tensor:
    """Return standard normal noise (len(frames), *shape) on the CPU; that of a frame depends on `seed` and number."""
    return torch.stack([torch.randn(shape, generator=generator(seed, frame)) for frame in frames])


def generator(seed: int, frame: int) -> torch.Generator:
    """Return a generator of its own for every pair; torch itself looks at the last 32 bits of a seed only."""
    digest = blake2b(f"{seed} {frame}".encode(), digest_size=4).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest, "big"))
