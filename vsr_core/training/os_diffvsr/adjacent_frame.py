"""OS-DiffVSR's adjacent-frame adversarial training (paper sections 3.2, 3.4 and 4.1).

A discriminator compares each frame with the real frame before it, patch by patch: the real frame shall be alike, the
restored one not. Restored are the frames of a clip that have both neighbours.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.optim import SGD, AdamW

from ...architectures.os_diffvsr.config import PAPER, SMALL, TINY, OSDiffVSRConfig
from ...architectures.os_diffvsr.network import OSDiffVSR
from ...checkpoints.metadata import Metadata, config_to_json
from ...degradations import LIGHT, MIXED, REAL_ESRGAN, DegradationConfig
from ...errors import SettingError
from ...flow import RAFT, FlowEstimator, estimator, warp
from ...metrics.perceptual import load_network
from ...metrics.weights import weights_folder
from ..data import pairs as dataset
from ..learner import Learner, frozen
from ..losses import psnr
from ..schedules import warmed_up
from .alignment import INNER, align_clips
from .discriminator import load_alexnet, load_dinov2, tiny_dinov2
from .generator import choose_weights, initialise, model_weights, save_memory
from .losses import discriminator_loss, focal_mse, generator_loss, similarity, warp_loss

if TYPE_CHECKING:
    from accelerate import Accelerator

__all__ = ["ARGUMENTS", "AdjacentFrame", "AdjacentFrameConfig", "build", "dataset", "paper", "small", "tiny"]

DINOV2, ALEXNET, TINY_DINOV2 = "dinov2", "alexnet", "tiny dinov2"


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Of the terms of equation 17."""

    adversarial: float = 1.0
    focal: float = 1.0
    lpips: float = 2.0
    warp: float = 2.0


@dataclass(frozen=True, kw_only=True)
class AdjacentFrameConfig:
    """The paper's values by default."""

    network: OSDiffVSRConfig = PAPER
    pretrained: bool = True
    """Whether the run has to begin with a model's weights."""
    steps: int = 498_750
    """150 epochs of REDS' 266 clips of 100 frames. Reading: an epoch sees every frame once."""
    batch: int = 8
    frames: int = 3
    """Frames of a clip, from 3."""
    size: int = 512
    """Height and width of a ground-truth crop, pixels."""
    rank: int = 32
    """Of the adapters of UNet and VAE encoder; 0 = all of their weights learn."""
    decoder: bool = False
    """Whether the VAE's decoder learns too."""
    learning_rate: float = 1e-5
    weight_decay: float = 1e-8
    weights: Weights = field(default_factory=Weights)
    gamma: float = 1.0
    """Of the focal error (equation 6). Differs from the paper, which does not say."""
    discriminator: str = DINOV2
    discriminator_rate: float = 5e-4
    warmup: int = 500
    """Steps of rising rate, of the discriminator only."""
    tau: float = 100.0
    """As printed: a discriminator's loss so divided stays close to log 2, with gradients a hundredth of tau 1's."""
    flow: str = RAFT
    recompute: bool = True
    """Whether activations are computed twice instead of kept."""
    ema: float = 0.0
    clip_norm: float = 0.0
    degradation: DegradationConfig = REAL_ESRGAN
    seed: int = 0


def paper() -> AdjacentFrameConfig:
    """Return the paper's run, from a converted OSEDiff."""
    return AdjacentFrameConfig()


def small() -> AdjacentFrameConfig:
    """Return the run that makes the built-in `osdiffvsr-small` of what `pretrain` gave, on a CPU.

    Differs from the paper: all weights learn, the decoder's too, at a higher rate and averaged, as there is no large
    pretrained network to change little; AlexNet, as of LPIPS, instead of DINOv2, and at its scale of tau; milder
    degradations.
    """
    return AdjacentFrameConfig(
        network=SMALL,
        steps=3_000,
        batch=4,
        size=128,
        rank=0,
        decoder=True,
        learning_rate=1e-4,
        discriminator=ALEXNET,
        tau=1.0,
        warmup=100,
        flow="dis-medium",
        recompute=False,
        ema=0.998,
        clip_norm=1.0,
        degradation=MIXED,
    )


def tiny() -> AdjacentFrameConfig:
    """Return a run of seconds for tests: a DINOv2 of random weights, no LPIPS."""
    return AdjacentFrameConfig(
        network=TINY,
        pretrained=False,
        steps=20,
        batch=2,
        size=64,
        rank=4,
        learning_rate=5e-3,
        weights=Weights(lpips=0.0),
        discriminator=TINY_DINOV2,
        warmup=2,
        flow="dis-medium",
        recompute=False,
        degradation=LIGHT,
    )


class AdjacentFrame:
    """Generator and discriminator of one run, each with its optimiser."""

    def __init__(
        self,
        config: AdjacentFrameConfig,
        accelerator: "Accelerator",
        *,
        discriminator: nn.Module,
        flow: FlowEstimator,
        lpips: Callable[[Tensor, Tensor], Tensor] | None = None,
        init: Path | None = None,
    ):
        """`discriminator` maps frames (N, 3, H, W) to features (N, C, h, w), `lpips` two to distances (N, ...).

        Frames are in -1..1 for both.
        """
        self.config, self.accelerator, self.device = config, accelerator, accelerator.device
        self.flow, self.lpips = flow, lpips
        torch.manual_seed(config.seed)
        network = OSDiffVSR(config.network)
        self.origin = initialise(network, init) if init else None
        choose_weights(network, rank=config.rank, decoder=config.decoder)
        if config.recompute:
            save_memory(network)
        self.generator = Learner(
            network.to(self.device, memory_format=torch.channels_last),
            accelerator,
            rate=lambda index: config.learning_rate,
            optimizer=partial(AdamW, weight_decay=config.weight_decay),
            clip_norm=config.clip_norm,
            ema=config.ema,
        )
        rate = partial(warmed_up, base=config.discriminator_rate, warmup=config.warmup)
        self.discriminator = Learner(discriminator.to(self.device), accelerator, rate=rate, optimizer=SGD)
        self.stateful = {"generator": self.generator, "discriminator": self.discriminator}

    def step(self, batch: tuple[Tensor, Tensor], index: int) -> dict[str, float]:
        lr_clips, hr_clips = (clips.to(self.device) for clips in batch)
        previous, real = hr_clips[:, :-2].flatten(0, 1), hr_clips[:, 1:-1].flatten(0, 1)
        warped = warp(previous, self.flow(real, previous)) * 2 - 1
        previous, real = previous * 2 - 1, real * 2 - 1

        with self.accelerator.autocast():
            restored = self.generator(lr_clips.flatten(0, 1), align_clips(lr_clips, self.flow, INNER)).float()
            with frozen(self.discriminator.network):
                features = self.discriminator.network(restored)
            with torch.no_grad():
                reference = self.discriminator.network(previous)
        terms = self._terms(restored, real, warped, similarity(reference, features))
        loss = sum(getattr(self.config.weights, name) * term for name, term in terms.items())
        self.generator.update(loss, index)

        with self.accelerator.autocast():
            features = self.discriminator(torch.cat([previous, real, restored.detach()]))
        reference, of_real, of_fake = features.chunk(3)
        critic = discriminator_loss(similarity(reference, of_real), similarity(reference, of_fake), tau=self.config.tau)
        self.discriminator.update(critic, index)

        figures = {"loss": loss, **terms, "discriminator": critic, "psnr": psnr(restored, real)}
        return {name: figure.item() for name, figure in figures.items()}

    def _terms(self, restored: Tensor, real: Tensor, warped: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """Return the terms of equation 17, but for those of weight 0, under the names of their weights."""
        terms = {
            "adversarial": lambda: generator_loss(fake),
            "focal": lambda: focal_mse(restored, real, fake, gamma=self.config.gamma),
            "lpips": lambda: self.lpips(restored, real).mean(),
            "warp": lambda: warp_loss(restored, real, warped, alpha=self.config.network.alpha),
        }
        return {name: term() for name, term in terms.items() if getattr(self.config.weights, name)}

    def model(self, done: int) -> tuple[dict[str, Tensor], Metadata]:
        source = f"OS-DiffVSR, adjacent-frame adversarial training, {done} steps, seed {self.config.seed}"
        metadata = Metadata(
            architecture="os_diffvsr",
            config=config_to_json(self.config.network),
            source=f"{source}, of: {self.origin.source}" if self.origin else source,
            licence=self.origin.licence if self.origin else "",
        )
        return model_weights(self.generator.weights()), metadata

    @torch.no_grad()
    def sample(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        clips = batch[0].to(self.device)
        middle = clips.shape[1] // 2
        aligned = align_clips(clips, self.flow, slice(middle, middle + 1))
        with self.accelerator.autocast():
            restored = self.generator.network(clips.flatten(0, 1), aligned)
        return batch[0][:, middle], (restored.float() + 1) / 2, batch[1][:, middle]


ARGUMENTS = {
    "--init": "model to start from: OS-DiffVSR, or a converted OSEDiff",
    "--dinov2": "folder of DINOv2-S (facebook/dinov2-small), the discriminator",
    "--raft": "torchvision's raft_large, for the optical flow",
}


def build(
    config: AdjacentFrameConfig,
    accelerator: "Accelerator",
    *,
    init: Path | None = None,
    dinov2: Path | None = None,
    raft: Path | None = None,
) -> AdjacentFrame:
    """Build the run with what its losses need. Raises SettingError naming what is missing."""
    needed = {"--init": (config.pretrained, init), "--dinov2": (config.discriminator == DINOV2, dinov2)}
    if missing := [option for option, (wanted, path) in needed.items() if wanted and path is None]:
        raise SettingError(f"This run begins with pretrained networks; give {' and '.join(missing)}.")
    torch.manual_seed(config.seed)
    discriminators = {
        DINOV2: lambda: load_dinov2(dinov2),
        ALEXNET: lambda: load_alexnet(weights_folder()),
        TINY_DINOV2: tiny_dinov2,
    }
    return AdjacentFrame(
        config,
        accelerator,
        discriminator=discriminators[config.discriminator](),
        flow=estimator(config.flow, raft, accelerator.device),
        lpips=load_network(weights_folder()).to(accelerator.device) if config.weights.lpips else None,
        init=init,
    )
