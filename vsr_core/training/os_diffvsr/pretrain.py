"""OS-DiffVSR from scratch: the network learns super-resolution by pixels, before any adversary.

Differs from the paper, which begins with Stable Diffusion 2.1 and OSEDiff's weights: a small network has no such
weights to begin with. Its adversarial training of adjacent frames can go on from here.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ...architectures.os_diffvsr import TITLE
from ...architectures.os_diffvsr.config import SMALL, TINY, OSDiffVSRConfig
from ...architectures.os_diffvsr.network import OSDiffVSR
from ...degradations import LIGHT, MIXED, DegradationConfig
from ...flow import Aligned, estimator
from ..data import pairs as dataset
from ..pretrain import Pretrain
from .alignment import align_clips
from .beginning import begin
from .generator import initialise

if TYPE_CHECKING:
    from accelerate import Accelerator

__all__ = ["ARGUMENTS", "PretrainConfig", "build", "dataset", "small", "small_mixed", "tiny"]

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


def small_mixed() -> PretrainConfig:
    """Return the run that goes on from `small`, by --init: a part of the clips has no damage."""
    return replace(small(), steps=2_400, learning_rate=5e-4, degradation=MIXED, seed=1)


def tiny() -> PretrainConfig:
    """Return a run of seconds for tests."""
    return PretrainConfig(
        network=TINY, steps=20, batch=2, frames=3, size=64, learning_rate=2e-3, warmup=2, ema=0.0, clip_norm=0.0
    )


ARGUMENTS = {"--init": "the model to go on from; without one: from scratch"}


def build(config: PretrainConfig, accelerator: "Accelerator", *, init: Path | None = None) -> Pretrain:
    """Build the run. Raises CheckpointError for a model that does not fit."""
    torch.manual_seed(config.seed)
    network = OSDiffVSR(config.network).to(memory_format=torch.channels_last)
    source, licence = f"{TITLE}'s network from scratch", ""
    if init is None:
        begin(network)
    elif origin := initialise(network, init):
        source, licence = origin.source, origin.licence
    else:
        source = f"{TITLE}'s network from {init.name}"
    flow = estimator(FLOW)

    def inputs(clips: Tensor, target: Tensor, numbers: range) -> tuple[Tensor, Aligned]:
        return clips.flatten(0, 1), align_clips(clips, flow)

    return Pretrain(
        config,
        accelerator,
        network,
        inputs=inputs,
        architecture="os_diffvsr",
        source=source,
        licence=licence,
    )
