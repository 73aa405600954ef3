"""Training pairs from folders of photographs, videos and prepared clips."""

import warnings
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from numpy import ndarray
from numpy.random import Generator
from torch import Tensor
from torch.utils.data import Dataset

from ...degradations import LIGHT, DegradationConfig, degrade
from ...errors import SettingError
from .media import Media, find_media, read_frames
from .motion import moving_clip, smallest_photo
from .quality import detail


class ClipDataset(Dataset):
    """Pairs (LR (T, 3, size / scale, size / scale), HR (T, 3, size, size)) in 0..1, drawn from `folders`.

    Item `index` depends on `seed` and `index` alone, and every index from 0 up exists: a run that goes on at
    index n sees what an uninterrupted run would have seen. `len` is a nominal epoch. `photographs` is the
    share of items made from still pictures where there are both kinds. Raises SettingError if none is usable.
    """

    def __init__(
        self,
        folders: Iterable[str | Path],
        *,
        frames: int = 7,
        size: int = 192,
        degradation: DegradationConfig = LIGHT,
        seed: int = 0,
        photographs: float = 0.1,
    ):
        check_pair_size(frames, size, degradation)
        self.frames, self.size, self.degradation, self.seed = frames, size, degradation, seed
        self.media = usable_media(find_media(folders), frames, size)
        self.chances = draw_chances(self.media, frames, photographs)

    def __len__(self) -> int:
        return sum(_stretches(media, self.frames) for media in self.media)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        rng = np.random.default_rng((self.seed, index))
        return make_pair(self.draw(rng), self.degradation, rng)

    def draw(self, rng: Generator) -> ndarray:
        """Return uint8 frames (T, size, size, 3) of any of the files."""
        media = self.media[rng.choice(len(self.media), p=self.chances)]
        if media.frames == 1:
            return moving_clip(read_frames(media, 0, 1)[0], self.frames, self.size, rng)
        start = int(rng.integers(media.frames - self.frames + 1))
        return random_crop(read_frames(media, start, self.frames), self.size, rng)


def check_pair_size(frames: int, size: int, degradation: DegradationConfig) -> None:
    """Raise SettingError unless clips of `frames` frames of `size` pixels can be degraded."""
    if frames < 1:
        raise SettingError(f"A training clip of {frames} frames is impossible; use 1 or more.")
    if size < 8 * degradation.scale or size % degradation.scale:
        raise SettingError(
            f"A training crop of {size} pixels does not fit x{degradation.scale}; "
            f"use a multiple of {degradation.scale}, at least {8 * degradation.scale}."
        )


def usable_media(media: list[Media], frames: int, size: int) -> list[Media]:
    """Return the files large and long enough; warn about the others, raise SettingError if none is left."""
    usable = [item for item in media if _is_usable(item, frames, size)]
    wanted = f"videos from {frames} frames of {size}x{size}, photographs from {smallest_photo(size)} pixels"
    if not usable:
        raise SettingError(f"None of the {len(media)} files is large and long enough; wanted: {wanted}.")
    if len(usable) < len(media):
        kept = set(usable)
        left_out = [item.path.name for item in media if item not in kept]
        names = ", ".join(left_out[:5]) + (", ..." if len(left_out) > 5 else "")
        warnings.warn(f"{len(left_out)} files are left out ({names}); wanted: {wanted}.", stacklevel=3)
    return usable


def draw_chances(media: list[Media], frames: int, photographs: float) -> ndarray:
    """Return each file's chance of being drawn: by length among videos, equal among photographs."""
    weights = np.array([_stretches(item, frames) for item in media], float)
    still = np.array([item.frames == 1 for item in media])
    if still.all() or not still.any():
        return weights / weights.sum()
    moving = (1 - photographs) * weights / weights[~still].sum()
    return np.where(still, photographs * weights / weights[still].sum(), moving)


def random_crop(frames: ndarray, size: int, rng: Generator) -> ndarray:
    """Return (T, size, size, C): of two random crops the one with more detail in its first three channels."""
    corners = [[int(rng.integers(length - size + 1)) for length in frames.shape[1:3]] for _ in range(2)]
    crops = [frames[:, top : top + size, left : left + size] for top, left in corners]
    return max(crops, key=lambda crop: detail(crop[len(crop) // 2, ..., :3]))


def random_flips(frames: ndarray, rng: Generator) -> ndarray:
    """Mirror, transpose and reverse (T, S, S, 3), each with probability 1/2."""
    for axis in (0, 1, 2):
        if rng.random() < 0.5:
            frames = np.flip(frames, axis)
    return frames.swapaxes(1, 2) if rng.random() < 0.5 else frames


def make_pair(frames: ndarray, degradation: DegradationConfig, rng: Generator) -> tuple[Tensor, Tensor]:
    """Return (LR, HR) tensors (T, 3, ., .) in 0..1 of uint8 frames (T, S, S, 3)."""
    hr = to_clip(random_flips(frames, rng))
    return degrade(hr, degradation, int(rng.integers(2**63))), hr


def to_clip(frames: ndarray) -> Tensor:
    """Turn uint8 (T, H, W, 3) into (T, 3, H, W) in 0..1."""
    return torch.from_numpy(np.ascontiguousarray(frames.transpose(0, 3, 1, 2))).float() / 255


def _is_usable(media: Media, frames: int, size: int) -> bool:
    shorter = min(media.height, media.width)
    if media.frames == 1:
        return shorter >= smallest_photo(size)
    return media.frames >= frames and shorter >= size


def _stretches(media: Media, frames: int) -> int:
    return max(1, round(media.frames / max(frames, 2)))
