"""Moving clips that need no files: gratings, noise textures, shapes and letters in motion."""

import numpy as np
from numpy import ndarray
from numpy.random import Generator
from torch import Tensor
from torch.utils.data import Dataset

from ...degradations import LIGHT, DegradationConfig
from .clips import check_pair_size, make_pair
from .motion import follow, random_path

SUBPIXEL_BITS = 4


class SyntheticClips(Dataset):
    """Pairs as of ClipDataset, drawn by the computer. Item `index` depends on `seed` and `index` alone."""

    def __init__(
        self,
        *,
        frames: int = 7,
        size: int = 192,
        degradation: DegradationConfig = LIGHT,
        seed: int = 0,
        length: int = 1000,
    ):
        check_pair_size(frames, size, degradation)
        self.frames, self.size, self.length = frames, size, length
        self.degradation, self.seed = degradation, seed

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        rng = np.random.default_rng((self.seed, index))
        return make_pair(self.draw(rng), self.degradation, rng)

    def draw(self, rng: Generator) -> ndarray:
        """Return uint8 frames (T, size, size, 3)."""
        return synthetic_clip(self.frames, self.size, rng)


def synthetic_clip(frames: int, size: int, rng: Generator) -> ndarray:
    """Return uint8 (frames, size, size, 3): a moving texture with shapes and letters that move over it."""
    side = size + 48
    background = grating(side, rng) if rng.random() < 0.5 else cloud(side, rng)
    clip = follow(background, random_path(side, side, frames, size, rng), size)
    for _ in range(int(rng.integers(2, 6))):
        draw_moving_shape(clip, rng)
    draw_moving_text(clip, rng)
    return clip


def grating(side: int, rng: Generator) -> ndarray:
    """Return uint8 (side, side, 3): a sine wave of 4 to 24 pixels per period between two colours."""
    y, x = np.mgrid[:side, :side]
    angle, period = rng.uniform(0, np.pi), rng.uniform(4, 24)
    wave = 0.5 + 0.5 * np.sin(2 * np.pi / period * (x * np.cos(angle) + y * np.sin(angle)))
    first, second = rng.uniform(0, 255, (2, 3))
    return (first + (second - first) * wave[..., None]).astype(np.uint8)


def cloud(side: int, rng: Generator) -> ndarray:
    """Return uint8 (side, side, 3): noise of many sizes, the coarser the stronger."""
    import cv2

    image = np.zeros((side, side, 3), np.float32)
    for cells in (4, 8, 16, 32, 64, 128):
        noise = rng.standard_normal((cells, cells, 3), dtype=np.float32)
        image += cv2.resize(noise, (side, side), interpolation=cv2.INTER_CUBIC) / np.sqrt(cells)
    return (128 + 90 * image).clip(0, 255).astype(np.uint8)


def draw_moving_shape(clip: ndarray, rng: Generator) -> None:
    """Paint a turning, drifting polygon over every frame of (T, S, S, 3), in place."""
    import cv2

    size = clip.shape[1]
    corners = int(rng.integers(3, 8))
    directions = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    radii = size * rng.uniform(0.05, 0.25) * rng.uniform(0.4, 1.0, corners)
    centre, speed, spin = rng.uniform(0, size, 2), rng.normal(0, 1.5, 2), rng.normal(0, 0.03)
    color = rng.integers(0, 256, 3).tolist()
    for index, frame in enumerate(clip):
        turned = directions + spin * index
        points = centre + speed * index + radii[:, None] * np.stack([np.cos(turned), np.sin(turned)], 1)
        fixed = np.round(points * 2**SUBPIXEL_BITS).astype(np.int32)
        cv2.fillPoly(frame, [fixed], color, cv2.LINE_AA, SUBPIXEL_BITS)


def draw_moving_text(clip: ndarray, rng: Generator) -> None:
    """Paint a line of random letters that scrolls by whole pixels over (T, S, S, 3), in place."""
    import cv2

    size = clip.shape[1]
    text = "".join(chr(code) for code in rng.integers(ord("A"), ord("z"), 12))
    left, baseline = (int(value) for value in rng.integers((-size // 8, size // 8), (size // 2, size)))
    speed, height = int(rng.integers(-3, 4)), float(rng.uniform(0.35, 1.0))
    color = rng.integers(0, 256, 3).tolist()
    for index, frame in enumerate(clip):
        origin = (left + speed * index, baseline)
        cv2.putText(frame, text, origin, cv2.FONT_HERSHEY_SIMPLEX, height, color, 1, cv2.LINE_AA)
