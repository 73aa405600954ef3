"""PSNR and SSIM of whole RGB frames: no border is cropped, no colour space is changed."""

from torch import Tensor

from ..clip import check_clip
from ..errors import ClipError, MissingPackageError

SSIM_WINDOW = 11


def psnr(clip: Tensor, reference: Tensor) -> Tensor:
    """Return the peak signal-to-noise ratio of each frame, (T,) in dB; infinity where the frames are equal.

    `clip` and `reference` are (T, 3, H, W) in 0..1. Raises ClipError if their shapes differ.
    """
    check_same_shape(clip, reference)
    return image_metrics().peak_signal_noise_ratio(
        clip, reference, data_range=(0.0, 1.0), reduction="none", dim=(1, 2, 3)
    )


def ssim(clip: Tensor, reference: Tensor) -> Tensor:
    """Return the structural similarity of each frame, (T,), the mean over the three colour channels.

    `clip` and `reference` are (T, 3, H, W) in 0..1. Gaussian window of 11 pixels, sigma 1.5 (Wang et al.,
    2004), frame edges mirrored. Raises ClipError if the shapes differ or a side is shorter than the window.
    """
    check_same_shape(clip, reference)
    check_sides(clip, SSIM_WINDOW, "SSIM")
    values = image_metrics().structural_similarity_index_measure(
        clip, reference, data_range=(0.0, 1.0), reduction="none"
    )
    return values.reshape(len(clip))


def check_same_shape(clip: Tensor, reference: Tensor) -> None:
    """Raise ClipError unless both are clips of the same shape."""
    check_clip(clip)
    check_clip(reference)
    if clip.shape != reference.shape:
        raise ClipError(f"Expected two clips of the same shape, got {tuple(clip.shape)} and {tuple(reference.shape)}.")


def check_sides(clip: Tensor, shortest: int, metric: str) -> None:
    """Raise ClipError if a frame side of (T, 3, H, W) is shorter than `shortest` pixels."""
    height, width = clip.shape[-2:]
    if min(height, width) < shortest:
        raise ClipError(
            f"{metric} needs frames of at least {shortest}x{shortest} pixels, got {width}x{height}. "
            "Leave it out (--metrics), or compare larger frames."
        )


def image_metrics():
    """Return torchmetrics' module of image metrics; raise MissingPackageError if it is not installed."""
    try:
        from torchmetrics.functional import image
    except (ImportError, RuntimeError) as error:  # torchvision raises RuntimeError beside another torch
        raise MissingPackageError(
            f"PSNR and SSIM need the package torchmetrics, which cannot be imported ({error}); run "
            "`pip install torchmetrics`. A torchvision beside it must be made for this torch."
        ) from error
    return image
