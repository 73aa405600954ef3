"""DUO-VSR from scratch: the network learns super-resolution by pixels, before any distillation.

Differs from the paper, which begins with a text-to-video model: a small network has no such weights to begin with.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ...architectures.duo_vsr import TITLE
from ...architectures.duo_vsr.config import FRAMES_PER_LATENT, SMALL, TINY, DuoVSRConfig
from ...architectures.duo_vsr.network import DuoVSR
from ...degradations import LIGHT, DegradationConfig
from ...schedulers.noise import frame_noise
from ..data import pairs as dataset
from ..pretrain import Pretrain
from .beginning import begin

if TYPE_CHECKING:
    from accelerate import Accelerator

__all__ = ["ARGUMENTS", "PretrainConfig", "build", "dataset", "noises", "small", "tiny"]


@dataclass(frozen=True, kw_only=True)
class PretrainConfig:
    network: DuoVSRConfig
    steps: int
    batch: int
    frames: int
    """Frames of a clip: a multiple of 4 and 1 more."""
    size: int
    """Height and width of a ground-truth crop, pixels."""
    learning_rate: float = 1e-3
    fan_in: int = 300
    """Inputs of a layer from which on it learns slower: its sums over frames and pixels are long."""
    warmup: int = 300
    """Steps of rising rate before the cosine to zero."""
    ema: float = 0.998
    clip_norm: float = 1.0
    degradation: DegradationConfig = LIGHT
    seed: int = 0


def small() -> PretrainConfig:
    """Return the run that makes the built-in `duovsr-tiny`."""
    return PretrainConfig(network=SMALL, steps=2_450, batch=3, frames=9, size=80)


def tiny() -> PretrainConfig:
    """Return a run of seconds for tests."""
    return PretrainConfig(
        network=TINY, steps=20, batch=2, frames=5, size=64, learning_rate=2e-3, warmup=2, ema=0.0, clip_norm=0.0
    )


ARGUMENTS: dict[str, str] = {}


def build(config: PretrainConfig, accelerator: "Accelerator") -> Pretrain:
    """Build the run."""
    torch.manual_seed(config.seed)
    network = DuoVSR(config.network)
    begin(network)

    def inputs(clips: Tensor, numbers: range) -> tuple[Tensor, Tensor]:
        return clips, noises(clips, numbers, config)

    return Pretrain(
        config, accelerator, network, inputs=inputs, architecture="duo_vsr", title=TITLE, fan_in=config.fan_in
    )


def noises(clips: Tensor, numbers: range, config: PretrainConfig) -> Tensor:
    """Return the noise (B, F, C, h, w) of clips (B, T, 3, H, W) with these numbers."""
    count, stride = -(-clips.shape[1] // FRAMES_PER_LATENT), config.network.latent_stride
    shape = (count, config.network.latent_channels, *(size // stride for size in clips.shape[-2:]))
    return frame_noise(shape, config.seed, numbers).to(clips.device)
