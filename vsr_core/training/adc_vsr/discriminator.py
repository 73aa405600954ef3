"""The dual-head discriminators of AdcVSR's second stage (paper section 3.3, figure 2b; sizes from section 4.1)."""

from copy import deepcopy

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from ...architectures.adc_vsr.denoiser import Denoiser
from ...metrics.dists import DISTS, stage_outputs
from .convnext import Block, ConvNeXt
from .losses import Verdict
from .student import RECOMPUTED

SLOPE = 0.2
"""Of the leaky ReLU; the paper names no activation."""


RECOMPUTED_IN_CRITICS = (*RECOMPUTED, Block)


class Discriminator(nn.Module):
    """A backbone that sees single frames, one that sees whole clips, and the tail with the two heads."""

    def __init__(self, *, frame_backbone: nn.Module, clip_backbone: nn.Module, tail: "DualHeadTail"):
        """`clip_backbone` and `tail` take (features, frames), `frame_backbone` takes frames."""
        super().__init__()
        self.frame_backbone, self.clip_backbone, self.tail = frame_backbone, clip_backbone, tail

    def forward(self, frames: Tensor, clips: Tensor) -> Verdict:
        """Judge clips that are made of `frames` (N, C, H, W); `clips` (B, T) says which frame stands where."""
        batch, length = clips.shape
        features = self.frame_backbone(frames)[clips.flatten()]
        features = self.clip_backbone(features, length)
        return Verdict(*(head.unflatten(0, (batch, length)) for head in self.tail(features, length)))


class DualHeadTail(nn.Module):
    """Three alternating 2D and 1D convolutions, then a 1x1 convolution for each head.

    Read from the paper as three of each; which makes seven frames seen at once.
    """

    def __init__(self, channels_in: int, *, heads: tuple[int, int] = (192, 64), limited: bool = False):
        """`heads` are the channels of the detail and the consistency head; the layers before have their sum.

        `limited` holds what each layer amplifies at 1 by spectral normalisation (Miyato et al. 2018). Differs from
        the paper, whose rate of 1e-7 keeps the tail tame.
        """
        super().__init__()
        channels = sum(heads)
        inputs = (channels_in, channels, channels)
        self.space = nn.ModuleList(nn.Conv2d(before, channels, 3, padding=1) for before in inputs)
        self.time = nn.ModuleList(nn.Conv2d(channels, channels, (3, 1), padding=(1, 0)) for _ in inputs)
        self.detail = nn.Conv2d(channels, heads[0], 1)
        self.consistency = nn.Conv2d(channels, heads[1], 1)
        for layer in (*self.space, *self.time, self.detail, self.consistency) if limited else ():
            spectral_norm(layer)

    def forward(self, features: Tensor, frames: int) -> tuple[Tensor, Tensor]:
        """Map (clips * frames, C, H, W) to what each head says of every frame."""
        x = features
        for space, time in zip(self.space, self.time):
            x = F.leaky_relu(space(x), SLOPE)
            x = F.leaky_relu(_over_time(time, x, frames), SLOPE)
        return self.detail(x), self.consistency(x)


class Single(nn.Module):
    """The clip backbone of a discriminator whose backbone sees single frames."""

    def forward(self, features: Tensor, frames: int) -> Tensor:
        return features


class ShallowVGG(nn.Module):
    """The first stages of DISTS's VGG16, frozen, each place scaled to unit strength. (N, 3, H, W) in -1..1."""

    def __init__(self, dists: DISTS, stages: int):
        super().__init__()
        self.stages = deepcopy(dists.stages[:stages]).requires_grad_(False)
        self.register_buffer("mean", dists.mean, persistent=False)
        self.register_buffer("deviation", dists.deviation, persistent=False)
        self.channels = self.stages[-1][-2].out_channels

    def forward(self, frames: Tensor) -> Tensor:
        x = stage_outputs(self.stages, ((frames + 1) / 2 - self.mean) / self.deviation)[-1]
        return x * torch.rsqrt(x.float().square().mean(1, keepdim=True) + 1e-4).to(x)


def pixel_discriminator(
    backbone: ConvNeXt | ShallowVGG, heads: tuple[int, int], *, limited: bool = False
) -> Discriminator:
    """Return D_pixel: only the first convolution of a ConvNeXt, the tail and the heads learn."""
    backbone.requires_grad_(False)
    if isinstance(backbone, ConvNeXt):
        backbone.stem[0].requires_grad_(True)
    tail = DualHeadTail(backbone.channels, heads=heads, limited=limited)
    return Discriminator(frame_backbone=backbone, clip_backbone=Single(), tail=tail)


def feature_discriminator(denoiser: Denoiser, heads: tuple[int, int], *, limited: bool = False) -> Discriminator:
    """Return D_feature on a copy of stage 1's UNet with a first convolution that takes the feature f.

    Only that convolution, the tail and the heads learn.
    """
    unet = deepcopy(denoiser).requires_grad_(False)
    first, channels = unet.conv_in, unet.conv_out.out_channels
    unet.conv_in = nn.Conv2d(channels, first.out_channels, first.kernel_size, padding=first.padding)
    tail = DualHeadTail(channels, heads=heads, limited=limited)
    return Discriminator(frame_backbone=nn.Identity(), clip_backbone=unet, tail=tail)


def _over_time(convolution: nn.Conv2d, x: Tensor, frames: int) -> Tensor:
    """Apply a (3, 1) convolution over the frames of each clip (as in the architecture's TemporalBlock)."""
    picture = rearrange(x, "(b t) c h w -> b c t (h w)", t=frames)
    return rearrange(convolution(picture), "b c t (h w) -> (b t) c h w", h=x.shape[-2])
