"""Draw the settings of each operation from a config and apply them. Frames are (T, H, W, 3) in 0..1."""

import numpy as np
from numpy import ndarray
from numpy.random import Generator

from . import kernels, operations
from .codec import video_codec
from .config import BlurConfig, CodecConfig, JpegConfig, NoiseConfig, Range, ResizeConfig

SMALLEST_SIDE = 8


def walk(rng: Generator, bounds: Range, step: float, count: int) -> ndarray:
    """Return `count` values: the first uniform in `bounds`, then steps of at most `step` that stay inside."""
    values = [rng.uniform(*bounds)]
    for change in rng.uniform(-step, step, count - 1):
        values.append(float(np.clip(values[-1] + change, *bounds)))
    return np.array(values)


def draw_kernels(rng: Generator, config: BlurConfig, count: int) -> list[ndarray]:
    """Draw one kind of kernel for the clip and its `count` slowly drifting shapes."""
    kinds, weights = zip(*config.kinds)
    kind = str(rng.choice(kinds, p=np.array(weights) / sum(weights)))
    size = int(rng.choice(config.sizes))
    if kind == "sinc":
        return [kernels.sinc(size, omega) for omega in walk(rng, config.omega, config.omega_step, count)]
    sigma_x = walk(rng, config.sigma, config.sigma_step, count)
    if kind.endswith("aniso"):
        sigma_y = walk(rng, config.sigma, config.sigma_step, count)
        angle = walk(rng, config.angle, config.angle_step, count)
    else:
        sigma_y, angle = sigma_x, np.zeros(count)
    if kind.startswith("generalized"):
        beta = walk(rng, config.beta_generalized, config.beta_generalized_step, count)
        return [kernels.generalized_gaussian(size, *shape) for shape in zip(sigma_x, sigma_y, angle, beta)]
    if kind.startswith("plateau"):
        beta = walk(rng, config.beta_plateau, config.beta_plateau_step, count)
        return [kernels.plateau(size, *shape) for shape in zip(sigma_x, sigma_y, angle, beta)]
    return [kernels.gaussian(size, *shape) for shape in zip(sigma_x, sigma_y, angle)]


def random_blur(frames: ndarray, config: BlurConfig, rng: Generator) -> ndarray:
    """Blur the clip with probability `config.probability`."""
    if rng.random() >= config.probability:
        return frames
    return operations.blur(frames, draw_kernels(rng, config, len(frames)))


def random_resize(frames: ndarray, config: ResizeConfig, rng: Generator) -> ndarray:
    """Enlarge, reduce or keep the clip.

    Differs from the paper: the factor is constant over the clip, so that all frames keep one size.
    """
    mode = rng.choice(3, p=np.array(config.modes) / sum(config.modes))
    low, high = config.scale
    factor = (rng.uniform(1, max(high, 1)), rng.uniform(min(low, 1), 1), 1.0)[mode]
    height, width = (max(SMALLEST_SIDE, round(side * factor)) for side in frames.shape[1:3])
    return operations.resize(frames, height, width, str(rng.choice(config.methods)))


def random_noise(frames: ndarray, config: NoiseConfig, rng: Generator) -> ndarray:
    """Add noise with probability `config.probability`."""
    if rng.random() >= config.probability:
        return frames
    gray = bool(rng.random() < config.gray)
    if rng.random() < config.gaussian:
        sigmas = walk(rng, config.sigma, config.sigma_step, len(frames))
        return operations.gaussian_noise(frames, sigmas, gray=gray, rng=rng)
    scales = walk(rng, config.poisson_scale, config.poisson_scale_step, len(frames))
    return operations.poisson_noise(frames, scales, gray=gray, rng=rng)


def random_jpeg(frames: ndarray, config: JpegConfig, rng: Generator) -> ndarray:
    """Compress every frame with probability `config.probability`."""
    if rng.random() >= config.probability:
        return frames
    return operations.jpeg(frames, walk(rng, config.quality, config.quality_step, len(frames)))


def random_codec(frames: ndarray, config: CodecConfig, rng: Generator) -> ndarray:
    """Compress the clip as a video with probability `config.probability`."""
    if rng.random() >= config.probability:
        return frames
    weights = np.array([encoder.weight for encoder in config.encoders])
    encoder = config.encoders[rng.choice(len(weights), p=weights / weights.sum())]
    return video_codec(frames, encoder.name, encoder.option, rng.uniform(*encoder.values))
