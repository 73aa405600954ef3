"""What stage 2 learns from: a pair for the student, and real videos and images for the discriminators."""

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch
from numpy import ndarray
from numpy.random import Generator
from torch import Tensor
from torch.utils.data import Dataset

from ..data import ClipDataset, SyntheticClips, pairs
from ..data.clips import random_flips, to_clip

if TYPE_CHECKING:
    from .stage2 import Stage2Config

REAL = 1
"""Keeps the draws of real clips apart from those of the pair with the same number."""


class Source(Protocol):
    """Where frames come from."""

    def draw(self, rng: Generator) -> ndarray:
        """Return uint8 frames (T, S, S, 3)."""


class PairsWithRealClips(Dataset):
    """(LR, HR, video (T, 3, S, S), image (1, 3, S, S), other images (T, 3, S, S)), all in 0..1.

    Item `index` depends on `seed` and `index` alone.
    """

    def __init__(self, pairs: Dataset, *, videos: Source, stills: Source, frames: int, seed: int):
        """`stills` draws single frames, `videos` draws clips of `frames` frames."""
        self.pairs, self.videos, self.stills = pairs, videos, stills
        self.frames, self.seed = frames, seed

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        rng = np.random.default_rng((self.seed, index, REAL))
        video = _draw(self.videos, rng)
        image, *others = (_draw(self.stills, rng) for _ in range(1 + self.frames))
        return *self.pairs[index], video, image, torch.cat(others)


def pairs_with_real_clips(
    config: "Stage2Config", folders: list[Path] | None, teacher_clips: Path | None = None
) -> PairsWithRealClips:
    """Return the data of a run, from files in `folders` or drawn by the computer; `teacher_clips` as in `pairs`."""
    size = config.critic_size or config.size
    videos, stills = (_source(folders, frames, size, config.photographs) for frames in (config.frames, 1))
    return PairsWithRealClips(
        pairs(config, folders, teacher_clips), videos=videos, stills=stills, frames=config.frames, seed=config.seed
    )


def _source(folders: list[Path] | None, frames: int, size: int, photographs: float) -> Source:
    if not folders:
        return SyntheticClips(frames=frames, size=size)
    return ClipDataset(folders, frames=frames, size=size, photographs=photographs if frames == 1 else 0.0)


def _draw(source: Source, rng: Generator) -> Tensor:
    return to_clip(random_flips(source.draw(rng), rng))
