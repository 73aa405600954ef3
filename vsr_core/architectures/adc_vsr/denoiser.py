"""The pruned SD2.1 UNet with 1D temporal blocks: one call is the one diffusion step (paper figure 2a)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .blocks import Downsample, ResidualBlock, TransformerBlock, Upsample, group_norm
from .temporal import TemporalBlock


class Layer(nn.Module):
    """A residual block and, where the level has heads, a transformer block; a temporal block after each."""

    def __init__(self, channels_in: int, channels: int, *, heads: int, temporal: bool):
        super().__init__()
        self.residual = ResidualBlock(channels_in, channels, eps=1e-5)
        self.residual_temporal = TemporalBlock(channels) if temporal else None
        self.transformer = TransformerBlock(channels, heads) if heads else None
        self.transformer_temporal = TemporalBlock(channels) if temporal and heads else None

    def forward(self, x: Tensor, frames: int) -> Tensor:
        x = self.residual(x)
        if self.residual_temporal is not None:
            x = self.residual_temporal(x, frames)
        if self.transformer is not None:
            x = self.transformer(x)
        if self.transformer_temporal is not None:
            x = self.transformer_temporal(x, frames)
        return x


class Denoiser(nn.Module):
    """Map unshuffled frames (clips * frames, C_in, H, W) to features (clips * frames, C_out, H, W)."""

    def __init__(
        self,
        *,
        channels_in: int,
        channels_out: int,
        channels: tuple[int, ...],
        layers: int,
        heads: tuple[int, ...],
        middle_heads: int,
        temporal: bool,
    ):
        super().__init__()
        self.conv_in = nn.Conv2d(channels_in, channels[0], 3, padding=1)
        self.down = nn.ModuleList()
        self.downsample = nn.ModuleList()
        skips = [channels[0]]
        current = channels[0]
        for level, (width, head_count) in enumerate(zip(channels, heads)):
            stack = nn.ModuleList()
            for _ in range(layers):
                stack.append(Layer(current, width, heads=head_count, temporal=temporal))
                current = width
                skips.append(current)
            self.down.append(stack)
            if level < len(channels) - 1:
                self.downsample.append(Downsample(current))
                skips.append(current)
        self.middle = nn.ModuleList(
            [
                Layer(current, current, heads=middle_heads, temporal=temporal),
                Layer(current, current, heads=0, temporal=temporal),
            ]
        )
        self.up = nn.ModuleList()
        self.upsample = nn.ModuleList()
        for level, (width, head_count) in enumerate(zip(reversed(channels), reversed(heads))):
            stack = nn.ModuleList()
            for _ in range(layers + 1):
                stack.append(Layer(current + skips.pop(), width, heads=head_count, temporal=temporal))
                current = width
            self.up.append(stack)
            if level < len(channels) - 1:
                self.upsample.append(Upsample(current))
        self.norm_out = group_norm(current, eps=1e-5)
        self.conv_out = nn.Conv2d(current, channels_out, 3, padding=1)

    def forward(self, x: Tensor, frames: int) -> Tensor:
        x = self.conv_in(x)
        skips = [x]
        for level, stack in enumerate(self.down):
            for layer in stack:
                x = layer(x, frames)
                skips.append(x)
            if level < len(self.downsample):
                x = self.downsample[level](x)
                skips.append(x)
        for layer in self.middle:
            x = layer(x, frames)
        for level, stack in enumerate(self.up):
            for layer in stack:
                x = layer(torch.cat([x, skips.pop()], dim=1), frames)
            if level < len(self.upsample):
                x = self.upsample[level](x)
        return self.conv_out(F.silu(self.norm_out(x)))
