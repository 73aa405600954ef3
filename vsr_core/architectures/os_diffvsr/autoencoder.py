"""Stable Diffusion's autoencoder: pictures in -1..1 to latents an eighth of their size, and back."""

import torch
from torch import Tensor, nn

from ...packages import from_package
from .config import OSDiffVSRConfig


class Encoder(nn.Module):
    """The encoding half of an autoencoder."""

    def __init__(self, vae: nn.Module):
        super().__init__()
        self.encoder, self.quant_conv = vae.encoder, vae.quant_conv

    def forward(self, pictures: Tensor) -> Tensor:
        """Map pictures (N, 3, H, W) to the mean and standard deviation (N, 2 C, H / 8, W / 8) of their latents."""
        mean, log_variance = self.quant_conv(self.encoder(pictures)).chunk(2, 1)
        return torch.cat([mean, (log_variance.clamp(-30, 20) / 2).exp()], 1)


class Decoder(nn.Module):
    """The decoding half of an autoencoder."""

    def __init__(self, vae: nn.Module):
        super().__init__()
        self.post_quant_conv, self.decoder = vae.post_quant_conv, vae.decoder

    def forward(self, latent: Tensor) -> Tensor:
        """Map latents (N, C, H, W) to pictures (N, 3, 8 H, 8 W), not clamped."""
        return self.decoder(self.post_quant_conv(latent))


def build_autoencoder(config: OSDiffVSRConfig) -> nn.Module:
    """Build the autoencoder of `config` out of diffusers' class, under its tensor names."""
    AutoencoderKL = from_package("diffusers", "AutoencoderKL", "OS-DiffVSR")

    levels = len(config.vae_channels)
    return AutoencoderKL(
        block_out_channels=config.vae_channels,
        layers_per_block=config.vae_layers,
        down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels,
        latent_channels=config.latent_channels,
        norm_num_groups=config.norm_groups,
        mid_block_add_attention=config.vae_attention,
    )
