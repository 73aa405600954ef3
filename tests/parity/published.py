"""The deterministic weights that the reference outputs were made with."""

import math
import zlib

import torch

TOLERANCE = 1e-3
"""Of the reference's standard deviation; float32 on CPUs of any kind."""


def deterministic(name: str, shape: list[int]) -> torch.Tensor:
    """Return the weight of a parameter by its published name (tests/data/README.md)."""
    values = torch.randn(shape, generator=torch.Generator().manual_seed(zlib.crc32(name.encode())))
    if len(shape) > 1:
        return values * 0.7 / math.sqrt(math.prod(shape[1:]))
    return values * 0.02 if name.endswith("bias") else 1 + values * 0.05


def assert_reproduces(found: torch.Tensor, reference: torch.Tensor) -> None:
    """Fail unless `found` is `reference` but for rounding."""
    assert (found - reference).abs().max() < TOLERANCE * reference.std()
