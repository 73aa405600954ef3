"""OS-DiffVSR from scratch: the network learns super-resolution by pixels, before any adversary.

Differs from the paper, which begins with Stable Diffusion 2.1 and OSEDiff's weights: a small network has no such
weights to begin with. Its adversarial training of adjacent frames can go on from here.
"""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ...architectures.os_diffvsr.config import SMALL, TINY, OSDiffVSRConfig
from ...architectures.os_diffvsr.network import OSDiffVSR
from ...checkpoints.metadata import Metadata, config_to_json
from ...degradations import LIGHT, DegradationConfig
from ...flow import Aligned, FlowEstimator, align, estimator, join
from ..data import pairs as dataset
from ..learner import Learner
from ..losses import pixel_l1, psnr
from ..schedules import cosine
from .beginning import begin

if TYPE_CHECKING:
    from accelerate import Accelerator

__all__ = ["ARGUMENTS", "Pretrain", "PretrainConfig", "build", "dataset", "small", "tiny"]

FLOW = "dis-medium"
"""Crops are small, and this takes the smallest pictures."""


@dataclass(frozen=True, kw_only=True)
class PretrainConfig:
    network: OSDiffVSRConfig
    steps: int
    batch: int
    frames: int
    """Frames of a clip; the first and the last one learn to do with one neighbour."""
    size: int
    """Height and width of a ground-truth crop, pixels."""
    learning_rate: float = 1e-3
    warmup: int = 100
    """Steps of rising rate before the cosine to zero."""
    ema: float = 0.998
    clip_norm: float = 1.0
    degradation: DegradationConfig = LIGHT
    seed: int = 0


def small() -> PretrainConfig:
    """Return the run that makes the built-in `osdiffvsr-tiny`."""
    return PretrainConfig(network=SMALL, steps=6_500, batch=4, frames=3, size=128)


def tiny() -> PretrainConfig:
    """Return a run of seconds for tests."""
    return PretrainConfig(
        network=TINY, steps=20, batch=2, frames=3, size=64, learning_rate=2e-3, warmup=2, ema=0.0, clip_norm=0.0
    )


class Pretrain:
    """Network, optimiser and averaged weights of one run."""

    def __init__(self, config: PretrainConfig, accelerator: "Accelerator", *, flow: FlowEstimator):
        self.config, self.accelerator, self.device = config, accelerator, accelerator.device
        self.flow = flow
        torch.manual_seed(config.seed)
        network = OSDiffVSR(config.network).to(self.device, memory_format=torch.channels_last)
        begin(network)
        rate = partial(cosine, base=config.learning_rate, warmup=config.warmup, steps=config.steps)
        self.student = Learner(network, accelerator, rate=rate, clip_norm=config.clip_norm, ema=config.ema)
        self.stateful = {"student": self.student}

    def step(self, batch: tuple[Tensor, Tensor], index: int) -> dict[str, float]:
        lr_clips, hr_clips = (clips.to(self.device) for clips in batch)
        aligned = self._aligned(lr_clips)

        with self.accelerator.autocast():
            frames = self.student(lr_clips.flatten(0, 1), aligned)

        target = hr_clips.flatten(0, 1) * 2 - 1
        loss = pixel_l1(frames, target)
        self.student.update(loss, index)
        return {"loss": loss.item(), "psnr": psnr(frames, target).item()}

    def _aligned(self, clips: Tensor) -> Aligned:
        """Align the frames of clips (B, T, 3, H, W) within each clip; indices count through all of them."""
        return join([align(clip, self.flow).shifted(index * len(clip)) for index, clip in enumerate(clips)])

    def model(self, done: int) -> tuple[dict[str, Tensor], Metadata]:
        source = f"OS-DiffVSR's network from scratch, pixel loss, {done} steps, seed {self.config.seed}"
        metadata = Metadata(architecture="os_diffvsr", config=config_to_json(self.config.network), source=source)
        return self.student.weights(), metadata

    @torch.no_grad()
    def sample(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        clips, target = batch
        middle = clips.shape[1] // 2
        clips = clips.to(self.device)
        frames = self.student.network(clips.flatten(0, 1), self._aligned(clips)).unflatten(0, clips.shape[:2])[
            :, middle
        ]
        return batch[0][:, middle], (frames + 1) / 2, target[:, middle]


ARGUMENTS: dict[str, str] = {}


def build(config: PretrainConfig, accelerator: "Accelerator") -> Pretrain:
    """Build the run."""
    return Pretrain(config, accelerator, flow=estimator(FLOW))
