"""DUO-VSR as one trainable network: frames and noise in, frames out."""

from collections.abc import Callable

import torch
from einops import rearrange
from torch import Tensor, nn

from ...clip import resize_bicubic
from .autoencoder import Decoder, Encoder, build_autoencoder
from .config import SCALE, DuoVSRConfig
from .denoiser import Denoiser, build_dit


class DuoVSR(nn.Module):
    """DiT, autoencoder and prompt. The parts are also used one by one at inference."""

    def __init__(self, config: DuoVSRConfig):
        super().__init__()
        self.config = config
        self.dit = build_dit(config)
        self.vae = build_autoencoder(config)
        self.prompt = nn.Parameter(torch.randn(config.prompt_tokens, config.prompt_width))
        if config.bicubic_skip:  # start as bicubic interpolation
            nn.init.zeros_(self.vae.decoder.conv_out.weight)
            nn.init.zeros_(self.vae.decoder.conv_out.bias)

    def parts(self) -> dict[str, nn.Module]:
        """Return the parts that inference loads one by one. They share this network's tensors."""
        return {
            "encoder": Encoder(self.vae),
            "denoiser": Denoiser(self.dit, self.prompt),
            "decoder": Decoder(self.vae),
        }

    def forward(self, clips: Tensor, noise: Tensor) -> Tensor:
        """Restore shots (N, T, 3, H, W) in 0..1 of T = 4 k + 1 frames, from `noise` (N, k + 1, C, H / 2, W / 2) on.

        Height and width are multiples of `config.multiple`. Of a shot alone, both may lack the first axis.

        Returns (N, T, 3, 4 H, 4 W) in -1..1, not clamped.
        """
        if clips.ndim == 4:
            return self(clips[None], noise[None])[0]
        parts = self.parts()
        large = enlarged(clips.flatten(0, 1)).unflatten(0, clips.shape[:2])
        latents = parts["encoder"](large.transpose(1, 2)).transpose(1, 2)
        shots = zip(latents, noise, strict=True)
        latents = torch.stack([one_step(parts["denoiser"], latent, start, self.config) for latent, start in shots])
        frames = parts["decoder"](latents.transpose(1, 2)).transpose(1, 2)
        return frames + large if self.config.bicubic_skip else frames


def one_step(predict: Callable[[Tensor], Tensor], latent: Tensor, noise: Tensor, config: DuoVSRConfig) -> Tensor:
    """Return the restored latents (F, C, H, W) of LR latents, both raw: z_0 = eps - v(eps, z_LR) (algorithm 1).

    With `config.latent_skip` it is z_LR - v(eps, z_LR).
    `predict` returns the velocity v (1, C, F, H, W) at noise and LR latents (1, 2 C, F, H, W), all normalised.
    """
    mean, std = (latent.new_tensor(values).view(-1, 1, 1) for values in (config.latent_mean, config.latent_std))
    normalised = (latent - mean) / std
    velocity = predict(as_video(torch.cat([noise, normalised], 1)))
    start = normalised if config.latent_skip else noise
    return (start - frames_of(velocity)) * std + mean


def enlarged(frames: Tensor) -> Tensor:
    """Enlarge frames (N, 3, H, W) in 0..1 by bicubic interpolation to (N, 3, 4 H, 4 W) in -1..1."""
    height, width = frames.shape[-2:]
    return resize_bicubic(frames, SCALE * height, SCALE * width) * 2 - 1


def as_video(frames: Tensor) -> Tensor:
    """Return frames (T, C, H, W) as one video (1, C, T, H, W)."""
    return rearrange(frames, "t c h w -> 1 c t h w")


def frames_of(video: Tensor) -> Tensor:
    """Return the frames (T, C, H, W) of one video (1, C, T, H, W)."""
    return rearrange(video, "1 c t h w -> t c h w")
