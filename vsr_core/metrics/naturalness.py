"""NIQE (Mittal, Soundararajan, Bovik: Making a "Completely Blind" Image Quality Analyzer, 2013).

No permissively licensed, maintained library offers it, so it is written out here.
"""

from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from ..clip import check_clip
from ..errors import ClipError
from .weights import load_weights

WEIGHTS_FILE = "niqe.safetensors"
PATCH = 96  # pixels, section III-B
FEATURES = 36  # 18 at each of two scales
SHAPES = {"mean": (FEATURES,), "covariance": (FEATURES, FEATURES)}
NEIGHBOURS = ((0, 1), (1, 0), (1, 1), (1, -1))  # down, right
LUMA = (65.481, 128.553, 24.966)  # BT.601 studio range, as the reference implementations use


def load_niqe(folder: Path) -> Callable[[Tensor], Tensor]:
    """Return `niqe(clip)` with the pristine model of `folder`/niqe.safetensors.

    Raises MissingPackageError if the file is absent.
    """
    pristine = load_weights(folder, WEIGHTS_FILE, SHAPES)
    mean, covariance = pristine["mean"].double(), pristine["covariance"].double()
    return lambda clip: niqe(clip, mean, covariance)


def niqe(clip: Tensor, mean: Tensor, covariance: Tensor) -> Tensor:
    """Return the distance of each frame of (T, 3, H, W) in 0..1 from natural images, (T,); lower is better.

    `mean` (36,) and `covariance` (36, 36) describe the pristine images. A frame too flat to be described
    gives NaN. Raises ClipError if the frames hold fewer than two patches of 96x96.
    """
    check_clip(clip)
    height, width = clip.shape[-2:]
    if (height // PATCH) * (width // PATCH) < 2:
        raise ClipError(
            f"NIQE needs frames of at least {2 * PATCH}x{PATCH} pixels, got {width}x{height}. "
            "Leave it out (--metrics), or compare larger frames."
        )
    return torch.stack([_frame_niqe(frame, mean, covariance) for frame in clip])


def _frame_niqe(frame: Tensor, mean: Tensor, covariance: Tensor) -> Tensor:
    features = patch_features(luma(frame))
    described = features[~features.isnan().any(dim=1)]
    if len(described) < 2:
        return torch.tensor(float("nan"), dtype=torch.float64)
    difference = mean - features.nanmean(dim=0)
    pooled = (covariance + described.T.cov()) / 2
    return (difference @ torch.linalg.pinv(pooled) @ difference).sqrt()  # Eq. 10


def luma(frame: Tensor) -> Tensor:
    """Return the 8-bit luma (H, W) of an RGB frame (3, H, W) in 0..1, as whole numbers in float64."""
    weights = torch.tensor(LUMA, dtype=torch.float64).reshape(3, 1, 1)
    return ((frame.cpu().double() * weights).sum(dim=0) + 16).round()


def patch_features(image: Tensor) -> Tensor:
    """Return the features (patches, 36) of a grey image (H, W) in 0..255."""
    rows, columns = image.shape[0] // PATCH, image.shape[1] // PATCH
    image = image[: rows * PATCH, : columns * PATCH]
    scales = []
    for side in (PATCH, PATCH // 2):
        patches = normalize(image).unfold(0, side, side).unfold(1, side, side).reshape(-1, side, side)
        scales.append(_features(patches))
        image = halve(image)
    return torch.cat(scales, dim=1)


def normalize(image: Tensor) -> Tensor:
    """Subtract the local mean of (H, W) and divide by the local deviation (Eq. 1)."""
    offset = torch.arange(-3, 4, dtype=image.dtype)
    bell = torch.exp(-(offset**2) / (2 * (7 / 6) ** 2))
    bell = bell / bell.sum()

    def blur(values: Tensor) -> Tensor:
        padded = F.pad(values[None, None], (3, 3, 3, 3), mode="replicate")
        return F.conv2d(F.conv2d(padded, bell.view(1, 1, 7, 1)), bell.view(1, 1, 1, 7))[0, 0]

    mu = blur(image)
    sigma = (blur(image**2) - mu**2).abs().sqrt()
    return (image - mu) / (sigma + 1)


def halve(image: Tensor) -> Tensor:
    """Return (H, W) at half size by antialiased bicubic interpolation, the edges mirrored as MATLAB does."""
    image = torch.cat([image[:4].flip(0), image, image[-4:].flip(0)])
    image = torch.cat([image[:, :4].flip(1), image, image[:, -4:].flip(1)], dim=1)
    half = F.interpolate(image[None, None], scale_factor=0.5, mode="bicubic", antialias=True)
    return half[0, 0, 2:-2, 2:-2]


def _features(patches: Tensor) -> Tensor:
    """Return the 18 features (P, 18) of normalized patches (P, S, S): section III-C."""
    alpha, left, right = fit_aggd(patches)
    features = [alpha, (left + right) / 2]
    for down, rightward in NEIGHBOURS:
        alpha, left, right = fit_aggd(patches * patches.roll((down, rightward), dims=(1, 2)))
        eta = (right - left) * _gamma(2 / alpha) / _gamma(1 / alpha)  # Eq. 8
        features += [alpha, eta, left, right]
    return torch.stack(features, dim=1)


def fit_aggd(patches: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Fit an asymmetric generalized Gaussian to each of (P, S, S): shape, left and right scale, each (P,).

    Moment matching of Lasmar et al., 2009; Eq. 4 to 6 of the paper. A patch without negative or without
    positive values gives NaN scales.
    """
    values = patches.flatten(1)
    left, right = _deviation(values, values < 0), _deviation(values, values > 0)
    ratio = left / right
    r = values.abs().mean(dim=1) ** 2 / (values**2).mean(dim=1)
    target = r * (ratio**3 + 1) * (ratio + 1) / (ratio**2 + 1) ** 2
    shapes = torch.arange(200, 10001, dtype=values.dtype) / 1000
    moments = _gamma(2 / shapes) ** 2 / (_gamma(1 / shapes) * _gamma(3 / shapes))
    alpha = shapes[(moments - target[:, None]).abs().argmin(dim=1)]
    scale = (_gamma(1 / alpha) / _gamma(3 / alpha)).sqrt()
    return alpha, left * scale, right * scale


def _deviation(values: Tensor, where: Tensor) -> Tensor:
    return ((values**2 * where).sum(dim=1) / where.sum(dim=1)).sqrt()


def _gamma(x: Tensor) -> Tensor:
    return torch.lgamma(x).exp()
