"""The base model that DUO-VSR is distilled from: the video DiT learns to restore in many steps.

The paper begins with a model of this kind (supplementary, table 7) and its readable parts do not say how that was
trained: here by plain flow matching, with the prompt left out now and then, so that stage I can be guided. It starts
from a converted Wan2.1; a network of the built-in size trains its autoencoder first, see `autoencoder`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ...architectures.duo_vsr.config import PAPER, SMALL, TINY, DuoVSRConfig
from ...architectures.duo_vsr.prompt import no_prompt
from ...checkpoints.metadata import Metadata
from ...degradations import LIGHT, DegradationConfig
from ...degradations import PAPER as REAL_WORLD
from ...schedulers.rectified_flow import noised
from ..data import pairs as dataset
from ..learner import Learner
from ..processes import items
from .draws import dice, normal, uniform
from .latents import Latents
from .losses import squared_error
from .start import Start, start
from .velocity import Velocity

if TYPE_CHECKING:
    from accelerate import Accelerator

__all__ = ["ARGUMENTS", "Base", "BaseConfig", "build", "dataset", "paper", "small", "tiny"]


@dataclass(frozen=True, kw_only=True)
class BaseConfig:
    """Nothing of this is published."""

    network: DuoVSRConfig = PAPER
    steps: int = 20_000
    no_text: float = 0.1
    """Share of items that learn without the prompt."""
    batch: int = 8
    draws: int = 1
    """Noises and times that each clip of a batch is learned with in one step."""
    frames: int = 21
    """Frames of a clip: a multiple of 4 and 1 more."""
    size: int = 512
    """Height and width of a ground-truth crop, pixels."""
    learning_rate: float = 1e-5
    """Of AdamW on the DiT."""
    clip_norm: float = 1.0
    ema: float = 0.999
    recompute: bool = False
    """Compute activations twice instead of keeping them."""
    degradation: DegradationConfig = REAL_WORLD
    seed: int = 0


def paper() -> BaseConfig:
    """Return a run for a model of the paper's size."""
    return BaseConfig(recompute=True)


def small() -> BaseConfig:
    """Return a run of the built-in size, for one core."""
    return BaseConfig(
        network=SMALL,
        steps=3_000,
        batch=2,
        draws=8,
        frames=9,
        size=80,
        learning_rate=1e-3,
        degradation=LIGHT,
    )


def tiny() -> BaseConfig:
    """Return a run of seconds for tests."""
    return BaseConfig(
        network=TINY,
        steps=8,
        no_text=0.5,
        batch=2,
        frames=5,
        size=32,
        learning_rate=2e-3,
        ema=0.0,
        degradation=LIGHT,
    )


class Base:
    """The DiT and its optimiser."""

    def __init__(self, config: BaseConfig, accelerator: "Accelerator", begun: Start):
        self.config, self.accelerator, self.device = config, accelerator, accelerator.device
        self.begun = begun
        network = begun.network.to(self.device)
        self.latents, self.text = Latents(network), network.prompt[None]
        self.null = no_prompt(config.network)[None].to(self.device)
        self.denoiser = Learner(
            Velocity(network.dit, config.network),
            accelerator,
            rate=lambda index: config.learning_rate,
            optimizer=torch.optim.AdamW,
            clip_norm=config.clip_norm,
            ema=config.ema,
        )
        self.stateful = {"denoiser": self.denoiser}

    def step(self, batch: tuple[Tensor, Tensor], index: int) -> dict[str, float]:
        config = self.config
        lr_clips, hr_clips = (clips.to(self.device) for clips in batch)
        own = dice(config.seed, items(self.accelerator, config.batch, index)) * config.draws

        with torch.no_grad(), self.accelerator.autocast():
            z_lr, z_hr = self.latents.of_pair(lr_clips, hr_clips, config.draws)
        noise, t = normal(z_hr, own), uniform(z_hr, own)
        without = uniform(z_hr, own)[:, None, None] < config.no_text
        with self.accelerator.autocast():
            text = torch.where(without, self.null, self.text)
            velocity = self.denoiser(noised(z_hr, noise, t), t, z_lr, text)
        flow = squared_error(velocity, noise - z_hr)
        self.denoiser.update(flow, index)
        return {"flow": flow.item()}

    def model(self, done: int) -> tuple[dict[str, Tensor], Metadata]:
        stage = f"DUO-VSR base, flow matching, {done} steps, seed {self.config.seed}"
        return self.begun.model(self.denoiser.weights(), stage)

    def sample(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Return input, frames restored by one step, which is not what this stage is for, and true frames."""
        clips, target = (clips.to(self.device) for clips in batch)
        return clips[:, -1], self.begun.sample(self.denoiser.network, clips, self.config.seed)[:, -1], target[:, -1]


ARGUMENTS = {"--init": "the model to start from: the model of the stage before, or a built-in one"}


def build(config: BaseConfig, accelerator: "Accelerator", *, init: Path | None = None) -> Base:
    """Build the run. Raises SettingError or CheckpointError for a model that is missing or does not fit."""
    begun = start(config.network, init, seed=config.seed, recomputed=config.recompute)
    return Base(config, accelerator, begun)
