"""DUO-VSR stage III: preference-guided refinement by flow-DPO.

It learns from preference pairs, which `python -m vsr_core make-data duo_vsr/stage3` makes with the model of stage II.
Here, unlike in other stages, --data names their folder.
"""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.utils.data import Dataset

from ...architectures.duo_vsr.config import PAPER, SMALL, TINY, DuoVSRConfig
from ...checkpoints.metadata import Metadata
from ...degradations import LIGHT, DegradationConfig
from ...degradations import PAPER as REAL_WORLD
from ...schedulers.rectified_flow import noised
from ..data import pairs as clip_pairs
from ..learner import Learner
from ..processes import items
from .draws import dice, normal, uniform
from .latents import Latents
from .losses import advantage, flow_dpo
from .pair_files import PairFiles, write_pairs
from .preference import STAND_INS, PreferencePairs, Rank, load_ranks
from .start import Start, start
from .velocity import Velocity

if TYPE_CHECKING:
    from accelerate import Accelerator

__all__ = ["ARGUMENTS", "Stage3", "Stage3Config", "build", "dataset", "make_data", "paper", "small", "tiny"]


@dataclass(frozen=True, kw_only=True)
class Stage3Config:
    """The paper's values by default, where they are published."""

    network: DuoVSRConfig = PAPER
    steps: int = 1_000
    beta: float = 500.0
    """How strongly the student is held to the model of stage II; errors are means over an item. Not published."""
    times: tuple[float, float] = (1.0, 1.0)
    """Span of t. Not published; the student is a model of one step, which is never asked anywhere but at t = 1."""
    candidates: int = 5
    """Restorations of a clip that a pair is chosen of (supplementary, section 7.2)."""
    pairs: int = 2_000
    """Pairs to make (supplementary, section 7.2)."""
    ranks: tuple[str, ...] = ("lpips", "musiq", "dover")
    """Metrics that candidates are ranked by (supplementary, section 7.2); none = stand-ins that need no weights."""
    batch: int = 8
    """Not published."""
    frames: int = 21
    """Frames of the clips that pairs are made of. Not published; the model's own window."""
    size: int = 512
    """Height and width of their ground truth, pixels. Not published."""
    learning_rate: float = 1e-6
    """Of AdamW. Not published."""
    clip_norm: float = 1.0
    """Not published."""
    ema: float = 0.0
    """Not published."""
    recompute: bool = False
    """Compute activations twice instead of keeping them."""
    degradation: DegradationConfig = REAL_WORLD
    seed: int = 0


def paper() -> Stage3Config:
    """Return the paper's run."""
    return Stage3Config(recompute=True)


def small() -> Stage3Config:
    """Return a run of the built-in size, for one core.

    Differs from the paper: fewer pairs, ranked by stand-ins for its metrics, milder degradations.
    """
    return Stage3Config(
        network=SMALL,
        steps=300,
        pairs=200,
        ranks=(),
        batch=2,
        frames=9,
        size=80,
        learning_rate=2e-5,
        ema=0.99,
        degradation=LIGHT,
    )


def tiny() -> Stage3Config:
    """Return a run of seconds for tests."""
    return Stage3Config(
        network=TINY,
        steps=8,
        beta=5.0,
        pairs=4,
        ranks=(),
        batch=2,
        frames=5,
        size=32,
        learning_rate=2e-3,
        degradation=LIGHT,
    )


def dataset(config: Stage3Config, folders: list[Path] | None) -> Dataset:
    """Return the pairs in `folders`; without, for tests, those of the untrained network, ranked by stand-ins."""
    if folders:
        return PairFiles(folders, seed=config.seed)
    return _made(config, None, STAND_INS, None)


def make_data(
    config: Stage3Config,
    folders: list[Path] | None,
    out: Path,
    numbers: range,
    *,
    init: Path | None,
    weights: Path,
    device: torch.device | str,
) -> Iterator[Path]:
    """Write the pairs of these numbers that are not in `out` yet, made of media in `folders`; yield their files.

    `init` is the model of stage II, `weights` the folder of the metrics' weights. Raises SettingError or
    CheckpointError for a model that is missing or does not fit, MissingPackageError for a metric that is.
    """
    ranks = load_ranks(weights, config.ranks) if config.ranks else STAND_INS
    return write_pairs(_made(config, folders, ranks, init, device), numbers, out)


def _made(
    config: Stage3Config,
    folders: list[Path] | None,
    ranks: Sequence[Rank],
    init: Path | None,
    device: torch.device | str = "cpu",
) -> PreferencePairs:
    network = start(config.network, init, seed=config.seed).network
    clips = clip_pairs(config, folders)
    return PreferencePairs(clips, network, ranks, candidates=config.candidates, seed=config.seed, device=device)


class Stage3:
    """Student, and the model of stage II that it is compared with."""

    def __init__(self, config: Stage3Config, accelerator: "Accelerator", begun: Start):
        self.config, self.accelerator, self.device = config, accelerator, accelerator.device
        self.begun = begun
        begun.network.to(self.device)
        self.latents, self.text = Latents(begun.network), begun.network.prompt[None]
        velocity = Velocity(begun.network.dit, config.network)
        self.reference = deepcopy(velocity).requires_grad_(False)
        self.student = Learner(
            velocity,
            accelerator,
            rate=lambda index: config.learning_rate,
            optimizer=torch.optim.AdamW,
            clip_norm=config.clip_norm,
            ema=config.ema,
        )
        self.stateful = {"student": self.student}

    def step(self, batch: dict[str, Tensor], index: int) -> dict[str, float]:
        config = self.config
        z_lr, better, worse = (batch[name].to(self.device) for name in ("z_lr", "better", "worse"))
        own = dice(config.seed, items(self.accelerator, config.batch, index))
        noise, t = normal(better, own), uniform(better, own, config.times)

        both = torch.cat([better, worse])  # of one pair with the same noise at the same time
        noise, t, z_lr = (torch.cat([each, each]) for each in (noise, t, z_lr))
        noisy, velocity = noised(both, noise, t), noise - both
        with self.accelerator.autocast():
            student = self.student(noisy, t, z_lr, self.text)
            with torch.no_grad():
                reference = self.reference(noisy, t, z_lr, self.text)

        of_better, of_worse = advantage(velocity, student, reference).chunk(2)
        loss = flow_dpo(of_better, of_worse, config.beta)
        self.student.update(loss, index)
        preferred = (of_better < of_worse).float().mean()
        return {"loss": loss.item(), "preferred": preferred.item()}

    def model(self, done: int) -> tuple[dict[str, Tensor], Metadata]:
        stage = f"DUO-VSR stage III, {done} steps, seed {self.config.seed}"
        return self.begun.model(self.student.weights(), stage)

    def sample(self, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Return input, restored and preferred frames; there is no true one among the pairs."""
        clips = batch["clip"].to(self.device)
        with torch.no_grad():
            preferred = self.latents.decode(batch["better"].to(self.device), clips)
        restored = self.begun.sample(self.student.network, clips, self.config.seed)
        return clips[:, -1], restored[:, -1], preferred[:, -1]


ARGUMENTS = {"--init": "the model to start from: the model of the stage before, or a built-in one"}


def build(config: Stage3Config, accelerator: "Accelerator", *, init: Path | None = None) -> Stage3:
    """Build the run. Raises SettingError or CheckpointError for a model that is missing or does not fit."""
    begun = start(config.network, init, seed=config.seed, recomputed=config.recompute)
    return Stage3(config, accelerator, begun)
