"""The Haar transform as kernels of layers: where an encoder without pretrained weights begins."""

import torch
from torch import Tensor, nn

COLORS = 3
DETAIL = 12.0
"""How much stronger than brightness detail becomes; in natural pictures it is about this much weaker."""
HAAR = torch.tensor([[[1, 1], [1, 1]], [[1, -1], [1, -1]], [[1, 1], [-1, -1]], [[1, -1], [-1, 1]]]) / 4
NO_DEVIATION = -30.0
"""Logarithm of a variance of nothing."""


def means(channels: int) -> Tensor:
    """Return kernels (channels, channels, 2, 2) for the mean of 2x2 values."""
    return torch.eye(channels)[:, :, None, None] * HAAR[0]


def bands(channels: int) -> Tensor:
    """Return kernels (4 channels, channels, 2, 2) for mean and three kinds of detail of 2x2 values."""
    strength = torch.tensor([1, DETAIL, DETAIL, DETAIL])[:, None, None]
    return torch.cat([torch.eye(channels)[:, :, None, None] * kernel for kernel in HAAR * strength])


def overwrite(layer: nn.Module, kernels: Tensor) -> None:
    """Replace the first outputs of a convolution by `kernels` (outputs, inputs, ...), from its top left on."""
    layer.weight[: len(kernels)] = 0
    layer.weight[tuple(slice(size) for size in kernels.shape)] = kernels
    layer.bias[: len(kernels)] = 0


def pass_means(quant_conv: nn.Module, post_quant_conv: nn.Module) -> None:
    """Let means of latents through both as they are, with no deviation: samples shall be no other."""
    channels = len(post_quant_conv.weight)
    identity = torch.eye(channels).view(channels, channels, *post_quant_conv.weight.shape[2:])
    for layer in (quant_conv, post_quant_conv):
        overwrite(layer, identity)
    nn.init.zeros_(quant_conv.weight[channels:])
    nn.init.constant_(quant_conv.bias[channels:], NO_DEVIATION)
