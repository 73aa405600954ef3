"""Blocks of the Wan2.1 video autoencoder, named as in diffusers. They work on lists of frames, see `causal`."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..upsampling import enlarging_kernel
from .causal import TAPS, Carry, CausalConv, Frames, convolve_next, convolve_pictures, drained, room, stacked

CACHE = 2**18
"""Numbers that a few operations in a row on a CPU find in its second-level cache."""


class RMSNorm(nn.Module):
    """Divide by the root mean square over the channels and multiply by `gamma` (C, 1, ...).

    `axes` is the number of axes after the channels in `gamma`; it only matters for the shape of the tensor.
    """

    def __init__(self, channels: int, *, axes: int = 3):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(channels, *[1] * axes))

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape (..., C)."""
        normalised = F.normalize(x.float(), dim=-1).to(x.dtype)
        return normalised * (x.shape[-1] ** 0.5 * self.gamma.flatten())

    def activated(self, x: Frames) -> Frames:
        """Return silu(norm(x)) of frames (N, H, W, C)."""
        if torch.is_grad_enabled():
            return [F.silu(self(frame)) for frame in x]
        result = room(len(x), x[0])
        for source, target in zip(x, result):
            self._activate(source, target)
        return result

    def _activate(self, x: Tensor, out: Tensor) -> None:
        """Write silu(norm(x)) into `out`; on a CPU in pieces that stay in its cache."""
        channels = x.shape[-1]
        gamma = self.gamma.flatten() * channels**0.5
        pixels = CACHE // channels if x.device.type == "cpu" else x.numel() // channels
        for source, target in zip(x.reshape(-1, channels).split(pixels), out.view(-1, channels).split(pixels)):
            length = torch.linalg.vector_norm(source, dim=-1, keepdim=True, dtype=torch.float32)
            torch.mul(source, length.clamp_min_(1e-12).reciprocal_(), out=target)
            F.silu(target.mul_(gamma), inplace=True)


class ResidualBlock(nn.Module):
    """Add two causal 3x3x3 convolutions, each after RMS norm and SiLU, to the input."""

    def __init__(self, channels_in: int, channels_out: int):
        super().__init__()
        self.norm1 = RMSNorm(channels_in)
        self.conv1 = CausalConv(channels_in, channels_out, size=3)
        self.norm2 = RMSNorm(channels_out)
        self.conv2 = CausalConv(channels_out, channels_out, size=3)
        self.conv_shortcut = nn.Identity() if channels_in == channels_out else nn.Conv3d(channels_in, channels_out, 1)

    def forward(self, x: Frames, carry: Carry) -> Frames:
        """Map frames (N, H, W, C_in) to as many (N, H, W, C_out)."""
        hidden = convolve_next(self.conv1, self.norm1.activated(x), carry)
        active = self.norm2.activated(hidden)
        hidden.clear()
        hidden = convolve_next(self.conv2, active, carry)
        add = torch.add if torch.is_grad_enabled() else Tensor.add_
        return [add(change, self._shortcut(frame)) for change, frame in zip(hidden, drained(x))]

    def _shortcut(self, x: Tensor) -> Tensor:
        return x if isinstance(self.conv_shortcut, nn.Identity) else pointwise(self.conv_shortcut, x)


class Attention(nn.Module):
    """Add single-head self-attention within each frame."""

    def __init__(self, channels: int):
        super().__init__()
        self.norm = RMSNorm(channels, axes=2)
        self.to_qkv = nn.Conv2d(channels, 3 * channels, 1)
        self.proj = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape (N, H, W, C)."""
        tokens = pointwise(self.to_qkv, self.norm(x)).flatten(1, 2)[:, None]  # (N, 1, H W, 3 C)
        mixed = F.scaled_dot_product_attention(*tokens.chunk(3, dim=-1))
        return x + pointwise(self.proj, mixed.reshape(x.shape))


class MiddleBlock(nn.Module):
    """Residual block, attention, residual block."""

    def __init__(self, channels: int):
        super().__init__()
        self.attentions = nn.ModuleList([Attention(channels)])
        self.resnets = nn.ModuleList([ResidualBlock(channels, channels), ResidualBlock(channels, channels)])

    def forward(self, x: Frames, carry: Carry) -> Frames:
        """Keep the shapes (N, H, W, C)."""
        x = self.resnets[0](x, carry)
        return self.resnets[1]([self.attentions[0](frame) for frame in drained(x)], carry)


class Downsample(nn.Module):
    """Halve height and width, and with `in_time` also the number of frames after the first of the shot."""

    def __init__(self, channels: int, *, in_time: bool):
        super().__init__()
        self.resample = nn.Sequential(nn.Identity(), nn.Conv2d(channels, channels, 3))  # the slot sets the name
        self.time_conv = CausalConv(channels, channels, size=1) if in_time else None

    def forward(self, x: Frames, carry: Carry) -> Frames:
        """Map frames (N, H, W, C) to (N, H / 2, W / 2, C)."""
        conv = self.resample[1]
        padded = (F.pad(frame, (0, 0, 0, 1, 0, 1)) for frame in drained(x))
        x = [convolve_pictures(frame, conv.weight, conv.bias, stride=2, padded=False) for frame in padded]
        return self._halved(self.time_conv, x, carry) if self.time_conv else x

    @staticmethod
    def _halved(conv: CausalConv, x: Frames, carry: Carry) -> Frames:
        """Keep the first frame of the shot; of the others make one out of every three, two apart."""
        past = carry.frames.get(conv, [])
        first, x = [] if past else x[:1], past + x
        pairs = (len(x) - 1) // 2
        halved = stacked(x[: 2 * pairs + 1], conv.weight, conv.bias, step=2)
        carry.keep(conv, x[2 * pairs :])
        return first + halved


class Upsample(nn.Module):
    """Double height and width, halve the channels, and with `in_time` double the frames after the first of the shot."""

    def __init__(self, channels: int, *, in_time: bool):
        super().__init__()
        self.resample = nn.Sequential(nn.Identity(), nn.Conv2d(channels, channels // 2, 3))  # the slot sets the name
        self.time_conv = CausalConv(channels, 2 * channels, size=1) if in_time else None

    def forward(self, x: Frames, carry: Carry) -> Frames:
        """Map frames (N, H, W, C) to (N, 2 H, 2 W, C / 2)."""
        if self.time_conv:
            x = self._doubled(self.time_conv, x, carry)
        conv = self.resample[1]
        kernel = enlarging_kernel(conv.weight)
        pictures = (frame.permute(0, 3, 1, 2) for frame in drained(x))
        large = (F.conv_transpose2d(picture, kernel, conv.bias, stride=2, padding=1) for picture in pictures)
        return [picture.permute(0, 2, 3, 1) for picture in large]

    @staticmethod
    def _doubled(conv: CausalConv, x: Frames, carry: Carry) -> Frames:
        """Keep the first frame of the shot, which the convolution never sees; make two out of each of the others."""
        first = []
        if conv not in carry.frames:
            first = [x.pop(0)]
            carry.keep(conv, [torch.zeros_like(first[0])] * (TAPS - 1))
        pairs = convolve_next(conv, x, carry) if x else []
        return first + [frame for pair in pairs for frame in pair.chunk(2, dim=-1)]


def pointwise(conv: nn.Module, x: Tensor) -> Tensor:
    """Apply a convolution with a kernel of one point to (..., C)."""
    return F.linear(x, conv.weight.flatten(1), conv.bias)
