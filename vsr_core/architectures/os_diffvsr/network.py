"""OS-DiffVSR as one trainable network: frames and their alignment in, frames out."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ...clip import resize_bicubic
from ...flow import Aligned, warped_neighbours
from ...schedulers.scaled_linear import alphas_cumprod, clean_latent
from .autoencoder import Decoder, Encoder, build_autoencoder
from .config import SCALE, OSDiffVSRConfig
from .denoiser import Denoiser, build_unet
from .temporal import MultiFrameFusion, from_latents, from_pixels, fuse, trusted


class OSDiffVSR(nn.Module):
    """UNet, autoencoder, fusion and prompt. The parts are also used one by one at inference."""

    def __init__(self, config: OSDiffVSRConfig):
        super().__init__()
        self.config = config
        self.unet = build_unet(config)
        self.vae = build_autoencoder(config)
        self.fusion = MultiFrameFusion(
            channels=config.latent_channels,
            heads=config.fusion_heads,
            width=config.fusion_width,
            scale=config.latent_scale,
        )
        self.prompt = nn.Parameter(torch.randn(config.prompt_tokens, config.prompt_width))
        if config.bicubic_skip:  # start as bicubic interpolation
            nn.init.zeros_(self.vae.decoder.conv_out.weight)
            nn.init.zeros_(self.vae.decoder.conv_out.bias)

    def parts(self) -> dict[str, nn.Module]:
        """Return the parts that inference loads one by one. They share this network's tensors."""
        return {
            "encoder": Encoder(self.vae),
            "fusion": self.fusion,
            "denoiser": Denoiser(self.unet, self.prompt, timestep=self.config.timestep),
            "decoder": Decoder(self.vae),
        }

    def forward(self, clip: Tensor, aligned: Aligned, alignment: str | None = None) -> Tensor:
        """Restore the n frames that `aligned` describes in `clip` (T, 3, H, W) in 0..1.

        Height and width are multiples of `config.multiple`. Clips of a batch are one clip here, frames after frames:
        `aligned` says which frames are neighbours. `alignment` is "pixels" or "latents"; None = the config's.

        Returns (n, 3, 4 H, 4 W) in -1..1, not clamped.
        """
        config, parts = self.config, self.parts()
        alignment = alignment or config.alignment
        moments = parts["encoder"](enlarged(sources(clip, aligned, alignment)))
        latents = triples(moments[:, : config.latent_channels], aligned, alignment, config)
        height, width = latents.shape[-2:]
        mask = trusted(
            aligned, alpha=config.alpha, mu=config.mu, height=height, width=width, stride=config.latent_stride
        )
        latent = one_step(parts["denoiser"], fuse(latents, self.fusion(latents), mask), config)
        frames = parts["decoder"](latent)
        return frames + enlarged(clip[aligned.frame]) if config.bicubic_skip else frames


def sources(clip: Tensor, aligned: Aligned, alignment: str) -> Tensor:
    """Return the frames (N, 3, H, W) that are to be encoded for the frames `aligned` describes in `clip`."""
    if alignment == "latents":
        return clip
    previous, next = warped_neighbours(clip, aligned)
    return torch.cat([previous, clip[aligned.frame], next])


def triples(latents: Tensor, aligned: Aligned, alignment: str, config: OSDiffVSRConfig) -> Tensor:
    """Return the previous, own and next latent (n, 3, C, h, w) of each frame, aligned, out of those of `sources`."""
    if alignment == "latents":
        return from_latents(latents, aligned, config.latent_stride)
    return from_pixels(latents)


def one_step(predict: Callable[[Tensor], Tensor], latent: Tensor, config: OSDiffVSRConfig) -> Tensor:
    """Return the clean latent (N, C, H, W) of a degraded one, both unscaled (equation 2).

    `predict` returns the noise in scaled latents.
    """
    noisy = latent * config.latent_scale
    return clean_latent(noisy, predict(noisy), alphas_cumprod()[config.timestep]) / config.latent_scale


def enlarged(frames: Tensor) -> Tensor:
    """Enlarge frames (N, 3, H, W) in 0..1 by bicubic interpolation to (N, 3, 4 H, 4 W) in -1..1."""
    height, width = frames.shape[-2:]
    return resize_bicubic(frames, SCALE * height, SCALE * width) * 2 - 1
