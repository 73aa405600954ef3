"""AdcVSR stage 1: error-minimising distillation, no adversary yet (paper sections 3.3 and 4.1, algorithm 1)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ...architectures.adc_vsr.config import PAPER, SMALL, TINY, AdcVSRConfig
from ...checkpoints.metadata import Metadata
from ...degradations import LIGHT, MIXED, DegradationConfig
from ...degradations import PAPER as REAL_WORLD
from ...errors import SettingError
from ..data import pairs as dataset
from ..learner import Learner
from ..losses import feature_l1, pixel_l1, psnr
from ..parts import same_parts
from ..processes import items
from ..recompute import recompute
from ..schedules import cosine, halving
from . import teachers
from .features import load_teacher_features
from .losses import Distance, frame_distance
from .perceptual import load_distance
from .student import RECOMPUTED, metadata, middle_frames, new_student
from .teachers import GROUND_TRUTH, Teacher, choose_teacher

if TYPE_CHECKING:
    from accelerate import Accelerator

__all__ = [
    "ARGUMENTS",
    "DATA_FILES",
    "Stage1",
    "Stage1Config",
    "build",
    "dataset",
    "paper",
    "small",
    "small_lpips",
    "small_mixed",
    "tiny",
]


@dataclass(frozen=True, kw_only=True)
class Stage1Config:
    """The paper's values by default."""

    network: AdcVSRConfig = PAPER
    steps: int = 200_000
    batch: int = 8
    frames: int = 25
    size: int = 512
    """Height and width of a ground-truth crop, pixels."""
    learning_rate: float = 1e-4
    warmup: int = 0
    """0 = the paper's schedule (halved every `halve_every` steps); else a warm-up and a cosine to zero."""
    halve_every: int = 100_000
    pixel_weight: float = 0.1
    dists_weight: float = 1.0
    """Inside the pixel loss (equation 2)."""
    lpips_weight: float = 0.0
    """Beside DISTS. Differs from the paper, which has none."""
    distance_size: int = 0
    """Height and width of what DISTS and LPIPS compare, cut out at random; 0 = everything."""
    feature_weight: float = 1.0
    ema: float = 0.0
    clip_norm: float = 0.0
    recompute: bool = False
    """Compute activations twice instead of keeping them: slower, in a fraction of the memory."""
    degradation: DegradationConfig = REAL_WORLD
    seed: int = 0


def paper() -> Stage1Config:
    """Return the paper's run."""
    return Stage1Config(recompute=True)


def small() -> Stage1Config:
    """Return the run that makes the built-in `adcvsr-small`.

    Differs from the paper: from scratch, so a higher rate with a cosine and averaged weights, pixel loss only
    (without SD2.1's encoder there is no feature to compare), milder degradations.
    """
    return Stage1Config(
        network=SMALL,
        steps=4_000,
        batch=4,
        frames=5,
        size=128,
        learning_rate=5e-4,
        warmup=100,
        pixel_weight=1.0,
        dists_weight=0.0,
        feature_weight=0.0,
        ema=0.998,
        clip_norm=1.0,
        degradation=LIGHT,
    )


def small_mixed() -> Stage1Config:
    """Return the run that goes on from `small`, by --init: a part of the clips has no damage."""
    return replace(small(), steps=2_400, learning_rate=4e-4, degradation=MIXED, seed=3)


def small_lpips() -> Stage1Config:
    """Return the run that goes on from `small_mixed`, by --init: also by LPIPS, of parts that begin anywhere."""
    return replace(small_mixed(), steps=3_000, learning_rate=3e-4, lpips_weight=0.5, distance_size=120, seed=4)


def tiny() -> Stage1Config:
    """Return a run of seconds for tests."""
    return Stage1Config(
        network=TINY,
        steps=20,
        batch=2,
        frames=3,
        size=64,
        learning_rate=2e-3,
        warmup=2,
        pixel_weight=1.0,
        dists_weight=0.0,
        feature_weight=0.0,
        degradation=LIGHT,
    )


class Stage1:
    """Student, optimiser and averaged weights of one run."""

    def __init__(
        self,
        config: Stage1Config,
        *,
        accelerator: "Accelerator",
        distance: Distance | None = None,
        teacher_features: Callable[[Tensor], Tensor] | None = None,
        teacher: Teacher = GROUND_TRUTH,
        init: Path | None = None,
    ):
        """`distance` is as `load_distance` returns it; `teacher_features` maps clips in -1..1 to the feature f."""
        self.config, self.accelerator, self.device = config, accelerator, accelerator.device
        self.distance, self.teacher_features, self.teacher = distance, teacher_features, teacher
        network = new_student(config.network, self.device, seed=config.seed, init=init)
        if config.recompute:
            recompute(network, RECOMPUTED)
        self.student = Learner(network, accelerator, rate=self._rate, clip_norm=config.clip_norm, ema=config.ema)
        self.stateful = {"student": self.student}

    def step(self, batch: tuple[Tensor, Tensor], index: int) -> dict[str, float]:
        config = self.config
        lr, hr = (clip.to(self.device) * 2 - 1 for clip in batch)
        teacher = self.teacher(lr, hr)

        with self.accelerator.autocast():
            student = self.student(lr)

        l1 = pixel_l1(student.frames, teacher)
        loss = config.pixel_weight * l1
        if self.distance:
            numbers = items(self.accelerator, config.batch, index)
            compared = same_parts(student.frames, teacher, size=config.distance_size, seed=config.seed, items=numbers)
            with self.accelerator.autocast():
                distance = frame_distance(self.distance, *compared)
            loss = loss + config.pixel_weight * distance
        if config.feature_weight:
            with torch.no_grad():
                target = self.teacher_features(teacher)
            loss = loss + config.feature_weight * feature_l1(student.feature, target)

        self.student.update(loss, index)
        return {"loss": loss.item(), "l1": l1.item(), "psnr": psnr(student.frames, teacher).item()}

    def _rate(self, index: int) -> float:
        config = self.config
        if config.warmup:
            return cosine(index, base=config.learning_rate, warmup=config.warmup, steps=config.steps)
        return halving(index, base=config.learning_rate, every=config.halve_every)

    def model(self, done: int) -> tuple[dict[str, Tensor], Metadata]:
        source = f"AdcVSR stage 1, {self.teacher.name} as teacher, {done} steps, seed {self.config.seed}"
        return self.student.weights(), metadata(self.config.network, source)

    def sample(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        return middle_frames(self.student.network, *(clip.to(self.device) for clip in batch))


DATA_FILES = teachers.DATA_FILES
ARGUMENTS = {
    **teachers.ARGUMENTS,
    "--init": "AdcVSR or converted AdcSR model to start from",
    "--vae": "folder of SD2.1's VAE in diffusers layout, for the feature loss",
    "--half-decoder": "AdcSR's halfDecoder.ckpt, for the feature loss",
}


def build(
    config: Stage1Config,
    accelerator: "Accelerator",
    *,
    init: Path | None = None,
    vae: Path | None = None,
    half_decoder: Path | None = None,
    teacher_clips: Path | None = None,
    dove: Path | None = None,
) -> Stage1:
    """Build the run with what its losses need. Raises SettingError naming what is missing."""
    features = None
    if config.feature_weight:
        if vae is None or half_decoder is None:
            raise SettingError("The feature loss needs --vae and --half-decoder; --config small does without.")
        features = load_teacher_features(vae, half_decoder).to(accelerator.device)
    return Stage1(
        config,
        accelerator=accelerator,
        distance=load_distance(accelerator.device, dists=config.dists_weight, lpips=config.lpips_weight),
        teacher_features=features,
        teacher=choose_teacher(accelerator.device, teacher_clips=teacher_clips, dove=dove),
        init=init,
    )
