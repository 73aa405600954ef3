"""Random numbers that belong to an item: the same in whatever process, and after whatever pause, it comes up."""

from collections.abc import Iterable, Sequence

import torch
from torch import Generator, Tensor

from ...schedulers.noise import generator


def dice(seed: int, items: Iterable[int]) -> list[Generator]:
    """Return a generator for each item; every draw goes on where the one before stopped."""
    return [generator(seed, item) for item in items]


def normal(like: Tensor, dice: Sequence[Generator]) -> Tensor:
    """Return standard normal noise shaped and placed as `like` (N, ...), one item from each of `dice`."""
    noise = torch.stack([torch.randn(like.shape[1:], generator=each) for each in dice])
    return noise.to(like.device)


def uniform(like: Tensor, dice: Sequence[Generator], span: tuple[float, float] = (0.0, 1.0)) -> Tensor:
    """Return a number (N,) in `span` from each of `dice`, placed as `like`."""
    low, high = span
    return (low + (high - low) * torch.cat([torch.rand(1, generator=each) for each in dice])).to(like.device)
