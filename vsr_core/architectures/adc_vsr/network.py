"""AdcVSR as one trainable network: frames in, frames out."""

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from .autoencoder import Decoder
from .config import AdcVSRConfig
from .denoiser import Denoiser


class Restored(NamedTuple):
    frames: Tensor
    """(B, T, 3, scale * H, scale * W) in -1..1, not clamped."""
    feature: Tensor
    """(B, T, C, H / 2, W / 2): the middle block's output, compared by feature distillation (paper section 3.3)."""


class AdcVSR(nn.Module):
    """UNet and decoder. The two parts are also used one by one at inference."""

    def __init__(self, config: AdcVSRConfig):
        super().__init__()
        self.config = config
        self.denoiser = Denoiser(
            channels_in=3 * config.unshuffle**2,
            channels_out=config.feature_channels,
            channels=config.channels,
            layers=config.layers,
            heads=config.heads,
            middle_heads=config.middle_heads,
            temporal=config.temporal,
        )
        self.decoder = Decoder(
            channels_in=config.feature_channels,
            attention=config.feature_attention,
            channels=config.decoder_channels,
            layers=config.decoder_layers,
        )
        if config.bicubic_skip:  # start as bicubic interpolation
            nn.init.zeros_(self.decoder.conv_out.weight)
            nn.init.zeros_(self.decoder.conv_out.bias)

    def forward(self, clip: Tensor) -> Restored:
        """Restore clips (B, T, 3, H, W) in -1..1; H and W multiples of `config.multiple`."""
        batch, frames = clip.shape[:2]
        flat = clip.flatten(0, 1)
        features = self.denoiser(F.pixel_unshuffle(flat, self.config.unshuffle), frames)
        features = self.decoder.middle(features)
        restored = self.decoder.tail(features)
        if self.config.bicubic_skip:
            restored = restored + bicubic(flat, self.config.scale)
        return Restored(restored.unflatten(0, (batch, frames)), features.unflatten(0, (batch, frames)))


def bicubic(frames: Tensor, scale: int) -> Tensor:
    """Enlarge (N, 3, H, W) by bicubic interpolation."""
    return F.interpolate(frames, scale_factor=scale, mode="bicubic", align_corners=False)
