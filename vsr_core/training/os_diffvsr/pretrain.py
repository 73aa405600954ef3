"""OS-DiffVSR from scratch: the network learns super-resolution by pixels, before any adversary.

Differs from the paper, which begins with Stable Diffusion 2.1 and OSEDiff's weights: a small network has no such
weights to begin with. Its adversarial training of adjacent frames can go on from here.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ...architectures.os_diffvsr import TITLE
from ...architectures.os_diffvsr.config import SMALL, TINY, OSDiffVSRConfig
from ...architectures.os_diffvsr.network import OSDiffVSR
from ...degradations import LIGHT, DegradationConfig
from ...flow import Aligned, estimator
from ..data import pairs as dataset
from ..pretrain import Pretrain
from .alignment import align_clips
from .beginning import begin

if TYPE_CHECKING:
    from accelerate import Accelerator

__all__ = ["ARGUMENTS", "PretrainConfig", "build", "dataset", "small", "tiny"]

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
    """Return the run that the built-in `osdiffvsr-small` began with."""
    return PretrainConfig(network=SMALL, steps=6_500, batch=4, frames=3, size=128)


def tiny() -> PretrainConfig:
    """Return a run of seconds for tests."""
    return PretrainConfig(
        network=TINY, steps=20, batch=2, frames=3, size=64, learning_rate=2e-3, warmup=2, ema=0.0, clip_norm=0.0
    )


ARGUMENTS: dict[str, str] = {}


def build(config: PretrainConfig, accelerator: "Accelerator") -> Pretrain:
    """Build the run."""
    torch.manual_seed(config.seed)
    network = OSDiffVSR(config.network).to(memory_format=torch.channels_last)
    begin(network)
    flow = estimator(FLOW)

    def inputs(clips: Tensor, numbers: range) -> tuple[Tensor, Aligned]:
        return clips.flatten(0, 1), align_clips(clips, flow)

    source = f"{TITLE}'s network from scratch"
    return Pretrain(config, accelerator, network, inputs=inputs, architecture="os_diffvsr", source=source)
