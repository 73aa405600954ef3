"""Tiny decoders as they are published, with random weights."""

import torch
from torch import Tensor

WIDTHS = (256, 128, 64, 64)
SHAPES = {
    "1.weight": (256, 16, 3, 3),
    "1.bias": (256,),
    **{
        f"{first + block}.conv.{layer}.{kind}": (
            (width,) if kind == "bias" else (width, width * (2 if layer == 0 else 1), 3, 3)
        )
        for first, width in zip((3, 9, 15), WIDTHS)
        for block in range(3)
        for layer in (0, 2, 4)
        for kind in ("weight", "bias")
    },
    "7.conv.weight": (256, 256, 1, 1),
    "8.weight": (128, 256, 3, 3),
    "13.conv.weight": (256, 128, 1, 1),
    "14.weight": (64, 128, 3, 3),
    "19.conv.weight": (128, 64, 1, 1),
    "20.weight": (64, 64, 3, 3),
    "22.weight": (3, 64, 3, 3),
    "22.bias": (3,),
}
"""Names, without `decoder.`, and shapes of taew2_1's decoder."""


def taew(seed: int = 0) -> dict[str, Tensor]:
    """Return taew2_1's tensors with random numbers that keep signals alive, and one of its encoder's."""
    generator = torch.Generator().manual_seed(seed)
    tensors = {"encoder.0.weight": torch.zeros(64, 3, 3, 3), "encoder.0.bias": torch.zeros(64)}
    for name, shape in SHAPES.items():
        fan_in = torch.Size(shape[1:]).numel()
        tensors[f"decoder.{name}"] = torch.randn(shape, generator=generator) / max(1, fan_in) ** 0.5
    tensors["decoder.22.bias"] = torch.full((3,), 0.5)
    return tensors
