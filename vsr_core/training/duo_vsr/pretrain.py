"""DUO-VSR from scratch: the network learns super-resolution by pixels, before any distillation.

Differs from the paper, which begins with a text-to-video model: a small network has no such weights to begin with.
"""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ...architectures.duo_vsr.config import FRAMES_PER_LATENT, SMALL, TINY, DuoVSRConfig
from ...architectures.duo_vsr.network import DuoVSR
from ...checkpoints.metadata import Metadata, config_to_json
from ...degradations import LIGHT, DegradationConfig
from ...schedulers.noise import frame_noise
from ..data import pairs as dataset
from ..learner import Learner
from ..losses import pixel_l1, psnr
from ..processes import items
from ..schedules import cosine
from .beginning import begin

if TYPE_CHECKING:
    from accelerate import Accelerator

__all__ = ["ARGUMENTS", "Pretrain", "PretrainConfig", "build", "dataset", "small", "tiny"]


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


class Pretrain:
    """Network, optimiser and averaged weights of one run."""

    def __init__(self, config: PretrainConfig, accelerator: "Accelerator"):
        self.config, self.accelerator, self.device = config, accelerator, accelerator.device
        torch.manual_seed(config.seed)
        network = DuoVSR(config.network).to(self.device)
        begin(network)
        rate = partial(cosine, base=config.learning_rate, warmup=config.warmup, steps=config.steps)
        self.student = Learner(
            network, accelerator, rate=rate, clip_norm=config.clip_norm, ema=config.ema, fan_in=config.fan_in
        )
        self.stateful = {"student": self.student}

    def step(self, batch: tuple[Tensor, Tensor], index: int) -> dict[str, float]:
        lr_clips, hr_clips = (clips.to(self.device) for clips in batch)
        noises = self._noises(lr_clips, items(self.accelerator, self.config.batch, index))

        with self.accelerator.autocast():
            clips = self.student(lr_clips, noises)

        target = hr_clips * 2 - 1
        loss = pixel_l1(clips, target)
        self.student.update(loss, index)
        return {"loss": loss.item(), "psnr": psnr(clips, target).item()}

    def _noises(self, clips: Tensor, numbers: range) -> Tensor:
        """Return the noise (B, F, C, h, w) of clips (B, T, 3, H, W) with these numbers."""
        count, stride = -(-self.config.frames // FRAMES_PER_LATENT), self.config.network.latent_stride
        shape = (count, self.config.network.latent_channels, *(size // stride for size in clips.shape[-2:]))
        return frame_noise(shape, self.config.seed, numbers).to(self.device)

    def model(self, done: int) -> tuple[dict[str, Tensor], Metadata]:
        source = f"DUO-VSR's network from scratch, pixel loss, {done} steps, seed {self.config.seed}"
        metadata = Metadata(architecture="duo_vsr", config=config_to_json(self.config.network), source=source)
        return self.student.weights(), metadata

    @torch.no_grad()
    def sample(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        clips, target = (clips.to(self.device) for clips in batch)
        last = clips.shape[1] - 1
        frames = self.student.network(clips, self._noises(clips, range(len(clips))))[:, last]
        return batch[0][:, last], (frames + 1) / 2, target[:, last]


ARGUMENTS: dict[str, str] = {}


def build(config: PretrainConfig, accelerator: "Accelerator") -> Pretrain:
    """Build the run."""
    return Pretrain(config, accelerator)
