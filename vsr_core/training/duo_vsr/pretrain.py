"""DUO-VSR from scratch: the network learns super-resolution by pixels, before any distillation.

Differs from the paper, which begins with a text-to-video model: a small network has no such weights to begin with.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from ...architectures.duo_vsr import TITLE
from ...architectures.duo_vsr.config import FRAMES_PER_LATENT, SMALL, TINY, DuoVSRConfig
from ...architectures.duo_vsr.network import DuoVSR
from ...degradations import LIGHT, MIXED, DegradationConfig
from ...metrics.perceptual import load_network
from ...metrics.weights import weights_folder
from ...schedulers.noise import frame_noise
from ..data import pairs as dataset
from ..pretrain import Pretrain
from .beginning import begin
from .start import start

if TYPE_CHECKING:
    from accelerate import Accelerator

__all__ = ["ARGUMENTS", "PretrainConfig", "build", "dataset", "noises", "small", "small_lpips", "tiny"]


@dataclass(frozen=True, kw_only=True)
class PretrainConfig:
    network: DuoVSRConfig
    steps: int
    batch: int
    frames: int
    """Frames of a clip: a multiple of 4 and 1 more."""
    size: int
    """Height and width of a ground-truth crop, pixels."""
    lpips: float = 0.0
    """Of LPIPS beside the mean absolute error of pixels in -1..1."""
    lpips_size: int = 0
    """Height and width of what LPIPS compares, cut out at random; 0 = everything."""
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
    """Return the first run of the built-in `duovsr-small`."""
    return PretrainConfig(network=SMALL, steps=2_450, batch=3, frames=9, size=80)


def small_lpips() -> PretrainConfig:
    """Return the second run of the built-in `duovsr-small`, from the first one's model: also by LPIPS."""
    return replace(
        small(), steps=1_500, lpips=0.5, lpips_size=72, learning_rate=3e-4, warmup=50, degradation=MIXED, seed=1
    )


def tiny() -> PretrainConfig:
    """Return a run of seconds for tests."""
    return PretrainConfig(
        network=TINY, steps=20, batch=2, frames=5, size=64, learning_rate=2e-3, warmup=2, ema=0.0, clip_norm=0.0
    )


ARGUMENTS = {"--init": "the model to go on from; without one: from scratch"}


def build(config: PretrainConfig, accelerator: "Accelerator", *, init: Path | None = None) -> Pretrain:
    """Build the run. Raises what `start` and `load_network` raise."""
    if init is None:
        torch.manual_seed(config.seed)
        network, source, licence = DuoVSR(config.network), f"{TITLE}'s network from scratch", ""
        begin(network)
    else:
        begun = start(config.network, init, seed=config.seed)
        network, source, licence = begun.network.requires_grad_(True), begun.source, begun.licence

    def inputs(clips: Tensor, target: Tensor, numbers: range) -> tuple[Tensor, Tensor]:
        return clips, noises(clips, numbers, config)

    return Pretrain(
        config,
        accelerator,
        network,
        inputs=inputs,
        architecture="duo_vsr",
        source=source,
        licence=licence,
        fan_in=config.fan_in,
        lpips=distance(config, accelerator),
    )


def distance(config: PretrainConfig, accelerator: "Accelerator") -> nn.Module | None:
    """Return LPIPS where the run counts it. Raises what `load_network` raises."""
    return load_network(weights_folder()).to(accelerator.device) if config.lpips else None


def noises(clips: Tensor, numbers: range, config: PretrainConfig) -> Tensor:
    """Return the noise (B, F, C, h, w) of clips (B, T, 3, H, W) with these numbers."""
    count, stride = -(-clips.shape[1] // FRAMES_PER_LATENT), config.network.latent_stride
    shape = (count, config.network.latent_channels, *(size // stride for size in clips.shape[-2:]))
    return frame_noise(shape, config.seed, numbers).to(clips.device)
