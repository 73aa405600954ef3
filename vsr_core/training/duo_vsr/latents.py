"""Between clips and the latents that the DiT works on, through an autoencoder that does not learn."""

import torch
from torch import Tensor

from ...architectures.duo_vsr.network import DuoVSR, enlarged


class Latents:
    """Encode and decode with a network's autoencoder. Latents are normalised, float32, (N, C, F, H, W)."""

    def __init__(self, network: DuoVSR):
        parts = network.parts()
        self.encoder, self.decoder, self.config = parts["encoder"], parts["decoder"], network.config

    def of_pair(self, clips: Tensor, target: Tensor, draws: int = 1) -> tuple[Tensor, Tensor]:
        """Return z_LR and z_HR of low- and high-resolution clips, the whole batch `draws` times in a row."""
        z_lr, z_hr = self.of_input(clips), self.of_target(target)
        return z_lr.repeat(draws, 1, 1, 1, 1), z_hr.repeat(draws, 1, 1, 1, 1)

    @torch.no_grad()
    def of_input(self, clips: Tensor) -> Tensor:
        """Return z_LR of low-resolution clips (N, T, 3, H, W) in 0..1."""
        return self.encode(enlarged(clips.flatten(0, 1)).unflatten(0, clips.shape[:2]))

    @torch.no_grad()
    def of_target(self, clips: Tensor) -> Tensor:
        """Return z_HR of high-resolution clips (N, T, 3, 4 H, 4 W) in 0..1."""
        return self.encode(clips * 2 - 1)

    def encode(self, pictures: Tensor) -> Tensor:
        """Return the latents of clips (N, T, 3, H, W) in -1..1, with gradients."""
        latents = self.encoder(pictures.transpose(1, 2)).float()
        mean, std = self._statistics(latents)
        return (latents - mean) / std

    def decode(self, latents: Tensor, clips: Tensor) -> Tensor:
        """Return the frames (N, T, 3, 4 H, 4 W) in 0..1, not clamped, of the latents and the input they belong to."""
        mean, std = self._statistics(latents)
        frames = self.decoder(latents * std + mean).transpose(1, 2).float()
        if self.config.bicubic_skip:
            frames = frames + enlarged(clips.flatten(0, 1)).unflatten(0, clips.shape[:2])
        return (frames + 1) / 2

    def _statistics(self, latents: Tensor) -> tuple[Tensor, Tensor]:
        values = (self.config.latent_mean, self.config.latent_std)
        mean, std = (latents.new_tensor(each).view(-1, 1, 1, 1) for each in values)
        return mean, std
