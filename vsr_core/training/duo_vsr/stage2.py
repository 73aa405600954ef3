"""DUO-VSR stage II: dual-stream distillation (supplementary, algorithm 1).

Every step is an update of its own, of a batch of its own: N of the auxiliary networks, the fake score model and the
discriminator's heads, then one of the student.

Differs from algorithm 1: there the features in the generator's loss are detached too, which would leave the student
without any gradient of it. Here the weights of score models and heads are fixed, and gradients pass through what they
compute. The student is asked at t = 1, where it works later on.
"""

from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ...architectures.duo_vsr.config import PAPER, SMALL, TINY, DuoVSRConfig
from ...checkpoints.metadata import Metadata
from ...degradations import LIGHT, DegradationConfig
from ...degradations import PAPER as REAL_WORLD
from ...schedulers.rectified_flow import clean_latent, noised
from ..data import pairs as dataset
from ..learner import Learner, frozen
from ..processes import items
from .draws import dice, normal, uniform
from .heads import Heads, joined
from .latents import Latents
from .losses import dmd, feature_matching, generator, hinge, squared_error
from .start import Start, start
from .velocity import Score, Velocity, one_step

if TYPE_CHECKING:
    from accelerate import Accelerator

__all__ = ["ARGUMENTS", "Stage2", "Stage2Config", "build", "dataset", "paper", "small", "tiny", "updates_student"]


@dataclass(frozen=True, kw_only=True)
class Stage2Config:
    """The paper's values by default, where they are published."""

    network: DuoVSRConfig = PAPER
    steps: int = 20_000
    """Updates, one in `interval` + 1 of them of the student. Not published."""
    interval: int = 3
    """N: auxiliary updates before each of the student (supplementary, section 7.1)."""
    dmd_weight: float = 1.0
    gan_weight: float = 0.1
    feature_weight: float = 0.05
    layers: tuple[int, ...] = (9, 18, 27)
    """Transformer layers of both score models that the heads look at, numbered from 1 (supplementary, section 8)."""
    head_width: int = 256
    """Channels inside a head. Not published."""
    times: tuple[float, float] = (0.02, 0.98)
    """Span of t that samples are noised to. Not published; as in DMD."""
    batch: int = 8
    """Not published."""
    draws: int = 1
    """Noises and times that each clip of a batch is learned with in one update."""
    frames: int = 21
    """Not published; the model's own window."""
    size: int = 512
    """Height and width of a ground-truth crop, pixels. Not published."""
    learning_rate: float = 2e-6
    """Of AdamW on the student. Not published."""
    fake_rate: float = 2e-6
    """Of AdamW on the fake score model. Not published."""
    head_rate: float = 1e-4
    """Of AdamW on the heads. Not published."""
    clip_norm: float = 1.0
    """Not published."""
    ema: float = 0.0
    """Of the student. Not published."""
    recompute: bool = False
    """Compute activations twice instead of keeping them."""
    degradation: DegradationConfig = REAL_WORLD
    seed: int = 0


def paper() -> Stage2Config:
    """Return the paper's run."""
    return Stage2Config(recompute=True)


def small() -> Stage2Config:
    """Return a run of the built-in size, for one core.

    Differs from the paper: fewer steps, milder degradations, and weights under which no loss drowns the others.
    """
    return Stage2Config(
        network=SMALL,
        steps=1_600,
        gan_weight=0.3,
        feature_weight=0.005,
        layers=(1, 2, 3),
        head_width=32,
        batch=2,
        draws=8,
        frames=9,
        size=80,
        learning_rate=1e-4,
        fake_rate=3e-4,
        head_rate=5e-4,
        ema=0.99,
        degradation=LIGHT,
    )


def tiny() -> Stage2Config:
    """Return a run of seconds for tests."""
    return Stage2Config(
        network=TINY,
        steps=8,
        layers=(1, 2),
        head_width=8,
        batch=2,
        frames=5,
        size=32,
        learning_rate=1e-3,
        fake_rate=2e-3,
        head_rate=2e-3,
        degradation=LIGHT,
    )


class Stage2:
    """Student, both score models and the discriminator's heads."""

    def __init__(self, config: Stage2Config, accelerator: "Accelerator", begun: Start, teacher: Start):
        """`begun` is the model of stage I; both score models begin as the DiT of `teacher`, the base model."""
        self.config, self.accelerator, self.device = config, accelerator, accelerator.device
        self.begun = begun
        begun.network.to(self.device)
        self.latents, self.text = Latents(begun.network), begun.network.prompt[None]
        fake = Score(Velocity(teacher.network.dit.to(self.device), config.network), config.layers)
        self.real = deepcopy(fake).requires_grad_(False)
        heads = Heads(layers=len(config.layers), channels=2 * config.network.width, width=config.head_width)
        self.student = self._learner(Velocity(begun.network.dit, config.network), config.learning_rate, config.ema)
        self.fake = self._learner(fake, config.fake_rate)
        self.heads = self._learner(heads.to(self.device), config.head_rate)
        self.stateful = {"student": self.student, "fake": self.fake, "heads": self.heads}

    def _learner(self, network: torch.nn.Module, rate: float, ema: float = 0.0) -> Learner:
        return Learner(
            network,
            self.accelerator,
            rate=lambda index: rate,
            optimizer=torch.optim.AdamW,
            clip_norm=self.config.clip_norm,
            ema=ema,
        )

    def step(self, batch: tuple[Tensor, Tensor], index: int) -> dict[str, float]:
        config = self.config
        own = dice(config.seed, items(self.accelerator, config.batch, index)) * config.draws
        with torch.no_grad(), self.accelerator.autocast():
            lr_clips, hr_clips = (clips.to(self.device) for clips in batch)
            z_lr, z_hr = self.latents.of_pair(lr_clips, hr_clips, config.draws)
        eps, noise, t = normal(z_hr, own), normal(z_hr, own), uniform(z_hr, own, config.times)
        update = self._update_student if updates_student(index, config) else self._update_auxiliary
        return update(z_lr, z_hr, eps, noise, t, index)

    def _update_auxiliary(
        self, z_lr: Tensor, z_hr: Tensor, eps: Tensor, noise: Tensor, t: Tensor, index: int
    ) -> dict[str, float]:
        """Let the fake score model follow the student, and the heads tell student and target apart."""
        with torch.no_grad(), self.accelerator.autocast():
            z_s = one_step(self.student.network, eps, z_lr, self.text)
            noisy, noisy_hr = noised(z_s, noise, t), noised(z_hr, noise, t)
            features_hr = self._features(noisy_hr, t, z_lr)
            _, real = self.real(noisy, t, z_lr, self.text)
        with self.accelerator.autocast():  # a new one: older PyTorch would go on with casts without gradients
            velocity, fake = self.fake(noisy, t, z_lr, self.text)
            features = joined(real, [each.detach() for each in fake])
            of_both = self.heads([torch.cat(pair) for pair in zip(features_hr, features)])

        diffusion = squared_error(velocity, noise - z_s)
        discriminator = hinge(*of_both.chunk(2))
        self.fake.update(diffusion, index)
        self.heads.update(discriminator, index)
        return {"diffusion": diffusion.item(), "discriminator": discriminator.item()}

    def _update_student(
        self, z_lr: Tensor, z_hr: Tensor, eps: Tensor, noise: Tensor, t: Tensor, index: int
    ) -> dict[str, float]:
        """Lead the student where the real score model is more at home, and where the heads see the target."""
        config = self.config
        with frozen(self.fake.network, self.heads.network):
            with self.accelerator.autocast():
                z_s = one_step(self.student, eps, z_lr, self.text)
                noisy, noisy_hr = noised(z_s, noise, t), noised(z_hr, noise, t)
                with torch.no_grad():
                    features_hr = self._features(noisy_hr, t, z_lr)
                v_real, real = self.real(noisy, t, z_lr, self.text)
                v_fake, fake = self.fake.network(noisy, t, z_lr, self.text)
                features = joined(real, fake)
                of_student = self.heads.network(features)

            matching = dmd(z_s, clean_latent(noisy, v_real, t), clean_latent(noisy, v_fake, t))
            adversarial = generator(of_student)
            alike = feature_matching(features, features_hr)
            loss = config.dmd_weight * matching + config.gan_weight * adversarial + config.feature_weight * alike
            self.student.update(loss, index)
        return {"loss": loss.item(), "dmd": matching.item(), "gan": adversarial.item(), "features": alike.item()}

    def _features(self, noisy: Tensor, t: Tensor, z_lr: Tensor) -> list[Tensor]:
        """Return h of both score models."""
        return joined(*(score(noisy, t, z_lr, self.text)[1] for score in (self.real, self.fake.network)))

    def model(self, done: int) -> tuple[dict[str, Tensor], Metadata]:
        stage = f"DUO-VSR stage II, {done} updates, seed {self.config.seed}"
        return self.begun.model(self.student.weights(), stage)

    def sample(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        clips, target = (clips.to(self.device) for clips in batch)
        return clips[:, -1], self.begun.sample(self.student.network, clips, self.config.seed)[:, -1], target[:, -1]


def updates_student(index: int, config: Stage2Config) -> bool:
    """Tell whether step `index` updates the student; the others update fake score model and heads."""
    return index % (config.interval + 1) == config.interval


ARGUMENTS = {
    "--init": "the model to start from: the model of the stage before, or a built-in one",
    "--teacher": "the base model, whose scores the student is led by: what stage 1 started from",
}


def build(
    config: Stage2Config, accelerator: "Accelerator", *, init: Path | None = None, teacher: Path | None = None
) -> Stage2:
    """Build the run. Raises SettingError or CheckpointError for files that are missing or do not fit."""
    begun = start(config.network, init, seed=config.seed, recomputed=config.recompute)
    base = start(config.network, teacher, seed=config.seed, recomputed=config.recompute, option="--teacher")
    return Stage2(config, accelerator, begun, base)
