"""DUO-VSR's autoencoder learns to give back the target, for a network that was trained as a whole from scratch.

The later stages need that: they learn the target's latents. Wan2.1's autoencoder does it as published. The latents end
up with a mean of 0 and a deviation of 1 in every channel, as the noise has that the stages mix them with.
"""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from ...architectures.duo_vsr.config import DuoVSRConfig
from ...architectures.duo_vsr.network import DuoVSR
from ...checkpoints.metadata import Metadata
from ...degradations import LIGHT
from ..data import pairs as dataset
from ..pretrain import Pretrain
from . import pretrain
from .latents import Latents
from .pretrain import PretrainConfig
from .start import Start, start

if TYPE_CHECKING:
    from accelerate import Accelerator

__all__ = ["ARGUMENTS", "Autoencoder", "build", "dataset", "normalised", "small", "tiny"]

SMALLEST = 1e-4
"""Variance of a channel that says nothing."""
MEMORY = 0.99
"""Share of what is known of the latents that a step keeps."""


def small() -> PretrainConfig:
    """Return a run that goes on from the built-in `duovsr-small`."""
    return replace(pretrain.small_lpips(), steps=2_000, learning_rate=1e-3, degradation=LIGHT)


def tiny() -> PretrainConfig:
    """Return a run of seconds for tests."""
    return replace(pretrain.tiny(), size=32)


class Reconstruction(nn.Module):
    """The autoencoder as one network that learns, and what its latents are like."""

    def __init__(self, network: DuoVSR):
        super().__init__()
        self.vae = network.vae.requires_grad_(True)
        self._latents = Latents(network)
        channels = network.config.latent_channels
        self.register_buffer("moments", torch.zeros(3, channels))
        """Means over steps of latents, their squares and 1; they begin at 0, and the last tells how full they are."""

    def forward(self, clips: Tensor, target: Tensor) -> Tensor:
        """Return target (N, T, 3, 4 H, 4 W) encoded and decoded, beside its input (N, T, 3, H, W) in 0..1; in -1..1."""
        latents = self._latents.encode(target)
        if torch.is_grad_enabled():
            values = latents.detach().transpose(0, 1).flatten(1)
            seen = torch.stack([values.mean(1), values.square().mean(1), torch.ones_like(self.moments[2])])
            self.moments.lerp_(seen, 1 - MEMORY)
        return self._latents.decode(latents, clips) * 2 - 1


class Autoencoder(Pretrain):
    """One run. DiT and prompt stay as they are; a DiT that knew the latents as they were has to learn again."""

    def __init__(self, config: PretrainConfig, accelerator: "Accelerator", begun: Start):
        super().__init__(
            config,
            accelerator,
            Reconstruction(begun.network),
            inputs=lambda clips, target, numbers: (clips, target),
            architecture="duo_vsr",
            source=f"{begun.source}; its autoencoder",
            licence=begun.licence,
            fan_in=config.fan_in,
            lpips=pretrain.distance(config, accelerator),
        )
        self.begun = begun

    def model(self, done: int) -> tuple[dict[str, Tensor], Metadata]:
        learned, metadata = super().model(done)
        mean, square, full = learned.pop("moments")
        weights = {**self.begun.network.state_dict(), **learned}
        return normalised(weights, mean / full, square / full, self.config.network), metadata


def normalised(weights: dict[str, Tensor], mean: Tensor, square: Tensor, config: DuoVSRConfig) -> dict[str, Tensor]:
    """Return a network's weights for latents of mean 0 and deviation 1 that decode to what they did before.

    `mean` and `square` (C,) are the means of the latents, as `config` normalises them now, and of their squares.
    """
    deviation = (square - mean**2).clamp_min(SMALLEST).sqrt()
    own_mean, own_std = (mean.new_tensor(each) for each in (config.latent_mean, config.latent_std))
    offset = own_mean * (1 - deviation) + own_std * mean  # raw latents are `deviation` times the new ones + `offset`

    channels = config.latent_channels
    encode, decode = "vae.quant_conv", "vae.post_quant_conv"
    last, bias, first = (weights[name].clone() for name in (f"{encode}.weight", f"{encode}.bias", f"{decode}.weight"))
    last[:channels] /= deviation.view(-1, 1, 1, 1, 1)
    bias[:channels] = (bias[:channels] - offset) / deviation
    return weights | {
        f"{encode}.weight": last,
        f"{encode}.bias": bias,
        f"{decode}.weight": first * deviation.view(-1, 1, 1, 1),
        f"{decode}.bias": weights[f"{decode}.bias"] + first.flatten(1) @ offset,
    }


ARGUMENTS = {"--init": "the model to go on from"}


def build(config: PretrainConfig, accelerator: "Accelerator", *, init: Path | None = None) -> Autoencoder:
    """Build the run. Raises what `start` and `pretrain.distance` raise."""
    return Autoencoder(config, accelerator, start(config.network, init, seed=config.seed))
