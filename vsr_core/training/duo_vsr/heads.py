"""The discriminator of RFS-GAN: convolutional heads on features of the two score models."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

GROUP = 8
"""Channels that are normalised together, over all places: with fewer, what all places share would be lost."""


class Heads(nn.Module):
    """One head for each layer that features are taken of. That they are convolutions is stated, which ones is not."""

    def __init__(self, *, layers: int, channels: int, width: int):
        """`channels` of a layer's features, of both score models together; `width` is a multiple of 8."""
        super().__init__()
        self.heads = nn.ModuleList(head(channels, width) for _ in range(layers))

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """Return D (N, layers * F * H * W): how real each place of features (N, channels, F, H, W) looks."""
        logits = [head(feature) for head, feature in zip(self.heads, features, strict=True)]
        return torch.cat([each.flatten(1) for each in logits], 1).float()


def head(channels: int, width: int) -> nn.Sequential:
    """Return layers that map (N, channels, F, H, W) to one number a place, seeing one place around it.

    They look at one frame at a time: the transformer has mixed frames before. (And on a CPU, PyTorch 2.13 computes
    wrong bfloat16 gradients for kernels of three over two frames.)
    """
    return nn.Sequential(
        nn.Conv3d(channels, width, 1),
        nn.GroupNorm(width // GROUP, width),
        nn.SiLU(),
        nn.Conv3d(width, width, (1, 3, 3), padding=(0, 1, 1)),
        nn.GroupNorm(width // GROUP, width),
        nn.SiLU(),
        nn.Conv3d(width, 1, 1),
    )


def joined(real: Sequence[Tensor], fake: Sequence[Tensor]) -> list[Tensor]:
    """Return the features h of both score models (N, C, ...) as one of (N, 2 C, ...) a layer (algorithm 1, concat)."""
    return [torch.cat(pair, 1) for pair in zip(real, fake, strict=True)]
