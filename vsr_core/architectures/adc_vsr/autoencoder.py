"""The pruned SD2.1 VAE decoder: features at half the input size to frames at four times the input size."""

import torch.nn.functional as F
from torch import Tensor, nn

from .blocks import ResidualBlock, SpatialAttention, Upsample, group_norm


class MiddleBlock(nn.Module):
    """Residual block, attention, residual block. Its output is the feature f that distillation compares."""

    def __init__(self, channels: int, *, attention: bool):
        super().__init__()
        self.residual1 = ResidualBlock(channels, channels, eps=1e-6)
        self.attention = SpatialAttention(channels) if attention else nn.Identity()
        self.residual2 = ResidualBlock(channels, channels, eps=1e-6)

    def forward(self, x: Tensor) -> Tensor:
        return self.residual2(self.attention(self.residual1(x)))


class Decoder(nn.Module):
    """Map features (N, C, H, W) to frames (N, 3, 2^(levels - 1) H, 2^(levels - 1) W)."""

    def __init__(self, *, channels_in: int, attention: bool, channels: tuple[int, ...], layers: int):
        super().__init__()
        self.middle = MiddleBlock(channels_in, attention=attention)
        self.up = nn.ModuleList()
        current = channels_in
        for level, width in enumerate(channels):
            blocks: list[nn.Module] = []
            for _ in range(layers):
                blocks.append(ResidualBlock(current, width, eps=1e-6))
                current = width
            if level < len(channels) - 1:
                blocks.append(Upsample(current))
            self.up.append(nn.Sequential(*blocks))
        self.norm_out = group_norm(current, eps=1e-6)
        self.conv_out = nn.Conv2d(current, 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.tail(self.middle(x))

    def tail(self, feature: Tensor) -> Tensor:
        """Turn the feature f into frames."""
        x = feature
        for level in self.up:
            x = level(x)
        return self.conv_out(F.silu(self.norm_out(x)))
