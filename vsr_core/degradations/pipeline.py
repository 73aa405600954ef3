"""RealBasicVSR's second-order degradation of an HR clip (Chan et al. 2022; Wang et al. 2021, figure 2)."""

from dataclasses import replace

import numpy as np
import torch
from numpy import ndarray
from numpy.random import Generator
from torch import Tensor

from ..clip import check_clip
from ..errors import ClipError
from .config import CLEAN, DegradationConfig, OrderConfig
from .operations import resize, to_uint8
from .sampling import random_blur, random_codec, random_jpeg, random_noise, random_resize


def degrade(clip: Tensor, config: DegradationConfig, seed: int) -> Tensor:
    """Return the LR clip (T, 3, H // scale, W // scale) of an HR clip (T, 3, H, W), both in 0..1.

    The result is float32 on the CPU with 8-bit steps; the same clip, config and seed give the same bytes.
    Raises ClipError for frames smaller than the scale.
    """
    check_clip(clip)
    height, width = (side // config.scale for side in clip.shape[-2:])
    if height < 1 or width < 1:
        raise ClipError(
            f"Frames of {clip.shape[-1]}x{clip.shape[-2]} are too small to reduce by {config.scale}; "
            f"use at least {config.scale}x{config.scale} pixels."
        )
    rng = np.random.default_rng(seed)
    if config.clean and rng.random() < config.clean:
        config = replace(CLEAN, scale=config.scale)
    frames = np.ascontiguousarray(clip.detach().cpu().float().permute(0, 2, 3, 1).numpy())
    frames = _first_order(frames, config.first, rng)
    frames = _second_order(frames, config, height, width, rng)
    return torch.from_numpy(np.ascontiguousarray(to_uint8(frames).transpose(0, 3, 1, 2))).float() / 255


def _first_order(frames: ndarray, order: OrderConfig, rng: Generator) -> ndarray:
    if rng.random() >= order.probability:
        return frames
    frames = _blur_resize_noise(frames, order, rng)
    frames = random_jpeg(frames, order.jpeg, rng)
    return random_codec(frames, order.codec, rng)


def _second_order(frames: ndarray, config: DegradationConfig, height: int, width: int, rng: Generator) -> ndarray:
    """Degrade again; the video codec comes before or after the resize to the LR size, at random."""
    order = config.second
    if rng.random() >= order.probability:
        return _final_resize(frames, config, height, width, rng)
    frames = _blur_resize_noise(frames, order, rng)
    frames = random_jpeg(frames, order.jpeg, rng)
    if rng.random() < 0.5:
        frames = random_codec(frames, order.codec, rng)
        return _final_resize(frames, config, height, width, rng)
    frames = _final_resize(frames, config, height, width, rng)
    return random_codec(frames, order.codec, rng)


def _blur_resize_noise(frames: ndarray, order: OrderConfig, rng: Generator) -> ndarray:
    frames = random_blur(frames, order.blur, rng)
    frames = random_resize(frames, order.resize, rng)
    return random_noise(frames, order.noise, rng)


def _final_resize(frames: ndarray, config: DegradationConfig, height: int, width: int, rng: Generator) -> ndarray:
    frames = resize(frames, height, width, str(rng.choice(config.final_methods)))
    sinc = replace(config.second.blur, probability=config.final_sinc, kinds=(("sinc", 1.0),))
    return random_blur(frames, sinc, rng)
