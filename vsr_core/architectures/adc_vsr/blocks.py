"""Blocks of the pruned Stable Diffusion network, without time embedding and cross-attention.

Frames travel as (N, C, H, W) with N = clips * frames. In channels-last memory every rearrangement here is a view.
"""

import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from ..upsampling import enlarging_kernel

GROUP_COUNTS = (32, 24, 16, 12, 8, 6, 4, 2, 1)


def group_norm(channels: int, eps: float) -> nn.GroupNorm:
    """Build a GroupNorm with the first group count of AdcSR's list that divides `channels`."""
    groups = next(count for count in GROUP_COUNTS if channels % count == 0)
    return nn.GroupNorm(groups, channels, eps=eps)


class ResidualBlock(nn.Module):
    """Add two 3x3 convolutions, each after GroupNorm and SiLU, to the input."""

    def __init__(self, channels_in: int, channels_out: int, *, eps: float):
        super().__init__()
        self.norm1 = group_norm(channels_in, eps)
        self.conv1 = nn.Conv2d(channels_in, channels_out, 3, padding=1)
        self.norm2 = group_norm(channels_out, eps)
        self.conv2 = nn.Conv2d(channels_out, channels_out, 3, padding=1)
        same = channels_in == channels_out
        self.shortcut = nn.Identity() if same else nn.Conv2d(channels_in, channels_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.conv1(F.silu(self.norm1(x)))
        hidden = self.conv2(F.silu(self.norm2(hidden)))
        return self.shortcut(x) + hidden


class Attention(nn.Module):
    """Multi-head self-attention over tokens (N, L, C)."""

    def __init__(self, channels: int, heads: int, *, qkv_bias: bool):
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(channels, channels, bias=qkv_bias)
        self.to_k = nn.Linear(channels, channels, bias=qkv_bias)
        self.to_v = nn.Linear(channels, channels, bias=qkv_bias)
        self.to_out = nn.Linear(channels, channels)

    def forward(self, tokens: Tensor) -> Tensor:
        q, k, v = (
            rearrange(project(tokens), "n l (h d) -> n h l d", h=self.heads)
            for project in (self.to_q, self.to_k, self.to_v)
        )
        mixed = F.scaled_dot_product_attention(q, k, v)
        return self.to_out(rearrange(mixed, "n h l d -> n l (h d)"))


class GatedFeedForward(nn.Module):
    """GEGLU feed-forward layer, four times as wide inside."""

    def __init__(self, channels: int):
        super().__init__()
        self.expand = nn.Linear(channels, channels * 8)
        self.contract = nn.Linear(channels * 4, channels)

    def forward(self, tokens: Tensor) -> Tensor:
        value, gate = self.expand(tokens).chunk(2, dim=-1)
        return self.contract(value * F.gelu(gate))


class TransformerBlock(nn.Module):
    """Add spatial self-attention and a feed-forward layer between two projections to each frame."""

    def __init__(self, channels: int, heads: int):
        super().__init__()
        self.norm = group_norm(channels, eps=1e-6)
        self.proj_in = nn.Linear(channels, channels)
        self.attention_norm = nn.LayerNorm(channels)
        self.attention = Attention(channels, heads, qkv_bias=False)
        self.feed_forward_norm = nn.LayerNorm(channels)
        self.feed_forward = GatedFeedForward(channels)
        self.proj_out = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.proj_in(rearrange(self.norm(x), "n c h w -> n (h w) c"))
        tokens = tokens + self.attention(self.attention_norm(tokens))
        tokens = tokens + self.feed_forward(self.feed_forward_norm(tokens))
        return x + rearrange(self.proj_out(tokens), "n (h w) c -> n c h w", h=x.shape[-2])


class SpatialAttention(nn.Module):
    """Add single-head self-attention of the VAE's middle block to each frame."""

    def __init__(self, channels: int):
        super().__init__()
        self.norm = group_norm(channels, eps=1e-6)
        self.attention = Attention(channels, heads=1, qkv_bias=True)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.attention(rearrange(self.norm(x), "n c h w -> n (h w) c"))
        return x + rearrange(tokens, "n (h w) c -> n c h w", h=x.shape[-2])


class Downsample(nn.Module):
    """Halve height and width by a strided 3x3 convolution."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)


class Upsample(nn.Module):
    """Double height and width by nearest-neighbour enlargement and a 3x3 convolution, computed in one step."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return F.conv_transpose2d(x, enlarging_kernel(self.conv.weight), self.conv.bias, stride=2, padding=1)
