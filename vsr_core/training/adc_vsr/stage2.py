"""AdcVSR stage 2: dual-head, dual-discriminator adversarial distillation (paper sections 3.3 and 4.1, algorithm 1)."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor

from ...architectures.adc_vsr.config import PAPER, SMALL, TINY, AdcVSRConfig
from ...architectures.adc_vsr.network import AdcVSR
from ...checkpoints.metadata import Metadata
from ...degradations import LIGHT, MIXED, DegradationConfig
from ...degradations import PAPER as REAL_WORLD
from ...errors import SettingError
from ...metrics.dists import load_dists
from ...metrics.weights import weights_folder
from ..learner import Learner, frozen
from ..losses import feature_l1, pixel_l1, psnr
from ..parts import random_parts, same_parts
from ..processes import items
from ..recompute import recompute
from ..schedules import halving
from . import teachers
from .convnext import ConvNeXt, load_convnext
from .discriminator import RECOMPUTED_IN_CRITICS, Discriminator, ShallowVGG, feature_discriminator, pixel_discriminator
from .features import load_teacher_features, random_teacher_features
from .kinds import arrange_kinds, own_places, source_frames, unlike_orders
from .losses import Distance, adversarial, discrimination, frame_distance
from .perceptual import load_distance
from .real_clips import pairs_with_real_clips as dataset
from .student import metadata, middle_frames, new_student
from .teachers import GROUND_TRUTH, Teacher, choose_teacher

if TYPE_CHECKING:
    from accelerate import Accelerator

__all__ = ["ARGUMENTS", "DATA_FILES", "Stage2", "Stage2Config", "build", "dataset", "paper", "small", "tiny"]


@dataclass(frozen=True, kw_only=True)
class Stage2Config:
    """The paper's values by default (section 4.1)."""

    network: AdcVSRConfig = PAPER
    steps: int = 200_000
    batch: int = 8
    frames: int = 25
    size: int = 512
    """Height and width of a ground-truth crop, pixels."""
    learning_rate: float = 1e-5
    critic_rate: float = 1e-7
    halve_every: int = 100_000
    """Steps after which both rates are halved."""
    pixel_weight: float = 0.1
    dists_weight: float = 1.0
    lpips_weight: float = 0.0
    """Beside DISTS. Differs from the paper, which has none."""
    distance_size: int = 0
    """Height and width of what DISTS and LPIPS compare, cut out at random; 0 = everything."""
    feature_weight: float = 1.0
    """0 = without the feature loss and the feature discriminator."""
    adversarial_weight: float = 1.0
    backbone: Literal["convnext", "vgg", "tiny"] = "convnext"
    """Of the pixel discriminator; "tiny" = a few random layers for all that is otherwise loaded."""
    backbone_stages: int = 3
    heads: tuple[int, int] = (192, 64)
    """Channels of the detail and the consistency head."""
    limited: bool = False
    """Spectral normalisation of the discriminators' tails; the paper has none, and a rate that needs none."""
    critic_size: int = 0
    """Height and width of what the pixel discriminator looks at, cut out at random; 0 = everything.
    For runs without a feature discriminator, which looks at everything."""
    photographs: float = 1.0
    """Share of the discriminators' images that are photographs; the others are single frames of videos."""
    ema: float = 0.0
    clip_norm: float = 0.0
    recompute: bool = False
    """Compute activations twice instead of keeping them: slower, in a fraction of the memory."""
    degradation: DegradationConfig = REAL_WORLD
    seed: int = 0


def paper() -> Stage2Config:
    """Return the paper's run."""
    return Stage2Config(recompute=True)


def small() -> Stage2Config:
    """Return the run that finishes the built-in `adcvsr-small`, by --init.

    Differs from the paper: LPIPS in place of DISTS, in a fraction of the time on a CPU; no feature discriminator
    (without SD2.1's encoder real frames have no feature), the first stages of VGG16 in place of ConvNeXt, on parts of
    the frames; a tail half as wide that learns from scratch at a higher rate, held back by spectral normalisation;
    images are mostly single frames of videos; an adversarial loss that moves a pixel a quarter as much as LPIPS does.
    """
    return Stage2Config(
        network=SMALL,
        steps=500,
        batch=4,
        frames=5,
        size=128,
        learning_rate=2e-4,
        critic_rate=1e-4,
        halve_every=200,
        pixel_weight=1.0,
        dists_weight=0.0,
        lpips_weight=0.3,
        distance_size=120,
        feature_weight=0.0,
        adversarial_weight=0.005,
        backbone="vgg",
        heads=(96, 32),
        limited=True,
        critic_size=48,
        photographs=0.1,
        ema=0.998,
        clip_norm=1.0,
        degradation=MIXED,
        seed=2,
    )


def tiny() -> Stage2Config:
    """Return a run of seconds for tests; its backbones are small and random."""
    return Stage2Config(
        network=TINY,
        steps=20,
        batch=2,
        frames=3,
        size=64,
        learning_rate=1e-3,
        critic_rate=1e-3,
        halve_every=10,
        pixel_weight=1.0,
        dists_weight=0.0,
        feature_weight=0.1,
        adversarial_weight=0.01,
        backbone="tiny",
        heads=(12, 4),
        limited=True,
        degradation=LIGHT,
    )


class Stage2:
    """The student and its two discriminators."""

    def __init__(
        self,
        config: Stage2Config,
        *,
        accelerator: "Accelerator",
        student: AdcVSR,
        pixel_critic: Discriminator,
        feature_critic: Discriminator | None = None,
        distance: Distance | None = None,
        real_features: Callable[[Tensor], Tensor] | None = None,
        teacher: Teacher = GROUND_TRUTH,
    ):
        """`distance` is as `load_distance` returns it; `real_features` maps clips in -1..1 to the feature f."""
        self.config, self.accelerator, self.device = config, accelerator, accelerator.device
        self.distance, self.real_features, self.teacher = distance, real_features, teacher
        learn = partial(Learner, accelerator=accelerator)
        rate, critic_rate = (
            partial(halving, base=base, every=config.halve_every) for base in (config.learning_rate, config.critic_rate)
        )
        self.student = learn(student, rate=rate, clip_norm=config.clip_norm, ema=config.ema)
        self.pixel_critic = learn(pixel_critic, rate=critic_rate)
        self.stateful = {"student": self.student, "pixel_critic": self.pixel_critic}
        if feature_critic is not None:
            self.feature_critic = learn(feature_critic, rate=critic_rate)
            self.stateful["feature_critic"] = self.feature_critic

    def step(self, batch: tuple[Tensor, ...], index: int) -> dict[str, float]:
        config = self.config
        numbers = items(self.accelerator, config.batch, index)
        lr, hr, video, image, others = (pixels.to(self.device) * 2 - 1 for pixels in batch)
        teacher = self.teacher(lr, hr)
        with self.accelerator.autocast():
            student = self.student(lr)
        seen = random_parts(student.frames, config.critic_size, config.seed, numbers)

        l1, fooling = pixel_l1(student.frames, teacher), self._fooling(self.pixel_critic, seen)
        pixel_loss = l1 + config.adversarial_weight * fooling
        if self.distance:
            compared = same_parts(student.frames, teacher, size=config.distance_size, seed=config.seed, items=numbers)
            with self.accelerator.autocast():
                pixel_loss = pixel_loss + frame_distance(self.distance, *compared)
        loss = config.pixel_weight * pixel_loss
        if config.feature_weight:
            feature_loss = feature_l1(student.feature, self._real_features(teacher))
            feature_loss = feature_loss + config.adversarial_weight * self._fooling(
                self.feature_critic, student.feature
            )
            loss = loss + config.feature_weight * feature_loss
        self.student.update(loss, index)

        kinds = arrange_kinds(unlike_orders(config.frames, config.seed, numbers)).to(self.device)
        pixels = source_frames(seen.detach(), video, image, others)
        figures = {"pixel_critic": self._teach(self.pixel_critic, pixels, kinds, index)}
        if config.feature_weight:
            features = source_frames(student.feature.detach(), *map(self._real_features, (video, image, others)))
            figures["feature_critic"] = self._teach(self.feature_critic, features, kinds, index)
        figures |= {"loss": loss.item(), "l1": l1.item(), "fooling": fooling.item()}
        return figures | {"psnr": psnr(student.frames, teacher).item()}

    def _real_features(self, clips: Tensor) -> Tensor:
        with self.accelerator.autocast():
            return self.real_features(clips)

    def _fooling(self, critic: Learner, clips: Tensor) -> Tensor:
        """Return what the student pays for (B, T, C, H, W) that look fake."""
        places = own_places(*clips.shape[:2]).to(self.device)
        with frozen(critic.network), self.accelerator.autocast():
            verdict = critic.network(clips.flatten(0, 1), places)
        return adversarial(verdict)

    def _teach(self, critic: Learner, frames: Tensor, kinds: Tensor, index: int) -> float:
        """Let a discriminator learn from KINDS made of `frames`; return its loss."""
        with self.accelerator.autocast():
            verdict = critic(frames, kinds)
        loss = discrimination(verdict)
        critic.update(loss, index)
        return loss.item()

    def model(self, done: int) -> tuple[dict[str, Tensor], Metadata]:
        source = f"AdcVSR stage 2, {self.teacher.name} as teacher, {done} steps, seed {self.config.seed}"
        return self.student.weights(), metadata(self.config.network, source)

    def sample(self, batch: tuple[Tensor, ...]) -> tuple[Tensor, Tensor, Tensor]:
        return middle_frames(self.student.network, *(clip.to(self.device) for clip in batch[:2]))


DATA_FILES = teachers.DATA_FILES
ARGUMENTS = {
    **teachers.ARGUMENTS,
    "--init": "AdcVSR model of stage 1 to go on from",
    "--vae": "folder of SD2.1's VAE in diffusers layout, for features of real frames",
    "--half-decoder": "AdcSR's halfDecoder.ckpt, for features of real frames",
    "--convnext": "OpenCLIP's convnext_xxlarge (or another ConvNeXt of it), for the pixel discriminator",
}


def build(
    config: Stage2Config,
    accelerator: "Accelerator",
    *,
    init: Path | None = None,
    vae: Path | None = None,
    half_decoder: Path | None = None,
    convnext: Path | None = None,
    teacher_clips: Path | None = None,
    dove: Path | None = None,
) -> Stage2:
    """Build the run with what its losses need. Raises SettingError naming what is missing."""
    _check_files(config, init=init, vae=vae, half_decoder=half_decoder, convnext=convnext)
    device = accelerator.device
    student = new_student(config.network, device, seed=config.seed, init=init)
    pixel_critic = pixel_discriminator(_backbone(config, convnext), config.heads, limited=config.limited)
    feature_critic = real_features = None
    if config.feature_weight:
        feature_critic = feature_discriminator(student.denoiser, config.heads, limited=config.limited).to(device)
        real_features = (
            random_teacher_features(config.network.feature_channels, attention=True)
            if config.backbone == "tiny"
            else load_teacher_features(vae, half_decoder)
        ).to(device)
    if config.recompute:
        for network in (student, pixel_critic, *([feature_critic] if feature_critic else [])):
            recompute(network, RECOMPUTED_IN_CRITICS)
    return Stage2(
        config,
        accelerator=accelerator,
        student=student,
        pixel_critic=pixel_critic.to(device, memory_format=torch.channels_last),
        feature_critic=feature_critic,
        distance=load_distance(device, dists=config.dists_weight, lpips=config.lpips_weight),
        real_features=real_features,
        teacher=choose_teacher(device, teacher_clips=teacher_clips, dove=dove),
    )


def _backbone(config: Stage2Config, convnext: Path | None) -> ConvNeXt | ShallowVGG:
    if config.backbone == "convnext":
        return load_convnext(convnext, stages=config.backbone_stages)
    if config.backbone == "vgg":
        return ShallowVGG(load_dists(weights_folder()), config.backbone_stages)
    return ConvNeXt(widths=(8, 16), depths=(1, 1))


def _check_files(config: Stage2Config, **files: Path | None) -> None:
    wanted = ["init"] if config.backbone != "tiny" else []
    if config.backbone == "convnext":
        wanted += ["convnext"] + (["vae", "half_decoder"] if config.feature_weight else [])
    missing = ["--" + name.replace("_", "-") for name in wanted if files[name] is None]
    if missing:
        raise SettingError(f"This run of stage 2 needs {', '.join(missing)}; --config tiny does without.")
