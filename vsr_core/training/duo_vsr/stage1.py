"""DUO-VSR stage I: guided distillation, then half as many steps again and again, down to one.

The teacher is the base model: a DUO-VSR that takes many steps, see `base`. The paper's readable parts do not say
what v_null is given: here the LR latent as ever and the embedding of no text.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ...architectures.duo_vsr.config import PAPER, SMALL, TINY, DuoVSRConfig
from ...architectures.duo_vsr.prompt import no_prompt, read_prompt
from ...checkpoints.metadata import Metadata
from ...degradations import LIGHT, DegradationConfig
from ...degradations import PAPER as REAL_WORLD
from ...schedulers.rectified_flow import noised
from ..data import pairs as dataset
from ..learner import Learner
from ..processes import items
from .draws import dice, normal, uniform
from .latents import Latents
from .losses import guided, halving_target, squared_error
from .start import Start, start
from .velocity import Velocity

if TYPE_CHECKING:
    from accelerate import Accelerator

__all__ = ["ARGUMENTS", "Stage1", "Stage1Config", "build", "dataset", "paper", "small", "student_steps", "tiny"]


@dataclass(frozen=True, kw_only=True)
class Stage1Config:
    """The paper's values by default, where they are published."""

    network: DuoVSRConfig = PAPER
    steps: int = 5_000
    """`guidance_steps`, and `refresh_every` for each of six halvings."""
    guidance_steps: int = 2_000
    """Steps of CFG distillation before the first halving. Not published."""
    guidance: float = 4.0
    """w of v_cfg. Not published; 1 + w is Wan2.1's own scale of 5."""
    teacher_steps: int = 64
    """Euler steps from noise to a video that are halved first."""
    refresh_every: int = 500
    """Steps from one halving to the next, where the student becomes the teacher."""
    batch: int = 8
    """Not published."""
    draws: int = 1
    """Noises and times that each clip of a batch is learned with in one step."""
    frames: int = 21
    """Not published; the model's own window."""
    size: int = 512
    """Height and width of a ground-truth crop, pixels. Not published."""
    learning_rate: float = 1e-5
    """Of AdamW. Not published."""
    clip_norm: float = 1.0
    """Not published."""
    recompute: bool = False
    """Compute activations twice instead of keeping them."""
    degradation: DegradationConfig = REAL_WORLD
    seed: int = 0


def paper() -> Stage1Config:
    """Return the paper's run."""
    return Stage1Config(recompute=True)


def small() -> Stage1Config:
    """Return a run of the built-in size, for one core. Differs from the paper: fewer steps, milder degradations."""
    return Stage1Config(
        network=SMALL,
        steps=800,
        guidance_steps=200,
        guidance=0.5,
        refresh_every=100,
        batch=2,
        draws=8,
        frames=9,
        size=80,
        learning_rate=5e-4,
        degradation=LIGHT,
    )


def tiny() -> Stage1Config:
    """Return a run of seconds for tests."""
    return Stage1Config(
        network=TINY,
        steps=8,
        guidance_steps=3,
        teacher_steps=4,
        refresh_every=2,
        batch=2,
        frames=5,
        size=32,
        learning_rate=2e-3,
        degradation=LIGHT,
    )


class Stage1:
    """Student and teacher of one run; both begin as the base model."""

    def __init__(self, config: Stage1Config, accelerator: "Accelerator", base: Start, null: Tensor):
        """`null` is the text embedding (tokens, width) of v_null."""
        self.config, self.accelerator, self.device = config, accelerator, accelerator.device
        self.base = base
        base.network.to(self.device)
        self.latents = Latents(base.network)
        self.text, self.null = base.network.prompt[None], null[None].to(self.device)
        velocity = Velocity(base.network.dit, config.network)
        self.teacher = deepcopy(velocity).requires_grad_(False)
        self.student = Learner(
            velocity,
            accelerator,
            rate=lambda index: config.learning_rate,
            optimizer=torch.optim.AdamW,
            clip_norm=config.clip_norm,
        )
        self.stateful = {"student": self.student, "teacher": self.teacher}

    def step(self, batch: tuple[Tensor, Tensor], index: int) -> dict[str, float]:
        config = self.config
        lr_clips, hr_clips = (clips.to(self.device) for clips in batch)
        own = dice(config.seed, items(self.accelerator, config.batch, index)) * config.draws
        steps = student_steps(index, config)
        if halves(index, config):
            self.teacher.load_state_dict(self.student.weights())

        with torch.no_grad(), self.accelerator.autocast():
            z_lr, z_hr = self.latents.of_pair(lr_clips, hr_clips, config.draws)
            noise, t = normal(z_hr, own), uniform(z_hr, own)
            if steps is None:
                noisy = noised(z_hr, noise, t)
                target = self._guided(noisy, t, z_lr)
            else:
                t = (1 + (t * steps).floor()) / steps  # one of 1/steps, 2/steps, ... 1
                noisy = noised(z_hr, noise, t)
                teacher: Callable[[Tensor, Tensor], Tensor] = partial(self.teacher, lr=z_lr, text=self.text)
                target = halving_target(teacher, noisy, t, 1 / steps)

        with self.accelerator.autocast():
            velocity = self.student(noisy, t, z_lr, self.text)

        loss = squared_error(velocity, target)
        self.student.update(loss, index)
        return {"loss": loss.item(), "student_steps": float(steps or 0)}

    def _guided(self, noisy: Tensor, t: Tensor, z_lr: Tensor) -> Tensor:
        conditional = self.teacher(noisy, t, z_lr, self.text)
        return guided(conditional, self.teacher(noisy, t, z_lr, self.null), self.config.guidance)

    def model(self, done: int) -> tuple[dict[str, Tensor], Metadata]:
        steps = student_steps(done - 1, self.config) or "many"
        stage = f"DUO-VSR stage I, w = {self.config.guidance:g}, {done} steps, down to {steps}, seed {self.config.seed}"
        return self.base.model(self.student.weights(), stage)

    def sample(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        clips, target = (clips.to(self.device) for clips in batch)
        return clips[:, -1], self.base.sample(self.student.network, clips, self.config.seed)[:, -1], target[:, -1]


def student_steps(index: int, config: Stage1Config) -> int | None:
    """Return how many Euler steps the student learns to take at step `index`; None while it learns guidance."""
    if index < config.guidance_steps:
        return None
    halvings = 1 + (index - config.guidance_steps) // config.refresh_every
    return max(1, config.teacher_steps >> halvings)


def halves(index: int, config: Stage1Config) -> bool:
    """Tell whether the student becomes the teacher before step `index`."""
    return index > 0 and student_steps(index, config) != student_steps(index - 1, config)


ARGUMENTS = {
    "--init": "the model to start from: the model of the stage before, or a built-in one",
    "--null-prompt": "the text embedding that guidance leads away from; default: no text",
}


def build(
    config: Stage1Config, accelerator: "Accelerator", *, init: Path | None = None, null_prompt: Path | None = None
) -> Stage1:
    """Build the run. Raises SettingError or CheckpointError for files that are missing or do not fit."""
    base = start(config.network, init, seed=config.seed, recomputed=config.recompute)
    null = no_prompt(config.network) if null_prompt is None else read_prompt(null_prompt, config.network)
    return Stage1(config, accelerator, base, null)
