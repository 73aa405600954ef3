"""The frame contract: a clip is a float tensor (T, C, H, W) with values in 0..1, C = 3 (RGB)."""

import torch.nn.functional as F
from torch import Tensor

from .errors import ClipError


def check_clip(clip: Tensor, *, first: int = 0) -> Tensor:
    """Return `clip` unchanged if it is (T >= 1, 3, H, W), floating and finite; raise ClipError otherwise.

    `first` is the number of the clip's first frame in the whole video, for the error.
    """
    if clip.ndim != 4 or clip.shape[1] != 3:
        raise ClipError(f"Expected frames shaped (T, 3, H, W), got {tuple(clip.shape)}.")
    if clip.shape[0] == 0 or clip.shape[2] == 0 or clip.shape[3] == 0:
        raise ClipError(f"Expected at least one frame of at least one pixel, got {tuple(clip.shape)}.")
    if not clip.is_floating_point():
        raise ClipError(f"Expected floating-point frames in 0..1, got {clip.dtype}. Divide 8-bit frames by 255.")
    finite = clip.isfinite().flatten(1).all(1)
    if not finite.all():
        bad = ((~finite).nonzero().flatten() + first).tolist()
        raise ClipError(f"Frames {bad[:8]} contain NaN or infinity; replace or drop them before upscaling.")
    return clip


def padding_to_multiple(length: int, multiple: int) -> int:
    """Return how many pixels to append to `length` so that it is a multiple of `multiple`."""
    return -length % multiple


def pad_bottom_right(clip: Tensor, bottom: int, right: int) -> Tensor:
    """Extend (T, C, H, W) by reflection, or by repeating the edge where the frame is too small to reflect."""
    reflects = bottom < clip.shape[-2] and right < clip.shape[-1]
    return F.pad(clip, (0, right, 0, bottom), mode="reflect" if reflects else "replicate")


def crop(clip: Tensor, height: int, width: int) -> Tensor:
    """Return the top-left `height` x `width` pixels of every frame."""
    return clip[..., :height, :width]


def resize_bicubic(clip: Tensor, height: int, width: int) -> Tensor:
    """Resize (T, C, H, W) by bicubic interpolation, values clamped to 0..1; antialiased when shrinking."""
    shrinking = height < clip.shape[-2] or width < clip.shape[-1]
    resized = F.interpolate(clip.float(), (height, width), mode="bicubic", align_corners=False, antialias=shrinking)
    return resized.clamp(0, 1).to(clip.dtype)
