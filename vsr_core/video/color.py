"""Code values of a video file and RGB in 0..1: matrices, ranges and chroma sampling.

Source: ITU-T H.273, clause 8.3. Tensors are float32; a plane is (H, W), RGB is (3, H, W).
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import VideoError

LIMITED, FULL = 1, 2
RGB, UNSPECIFIED = 0, 2

RED_BLUE_WEIGHTS = {
    1: (0.2126, 0.0722),  # BT.709
    4: (0.30, 0.11),  # FCC
    5: (0.299, 0.114),  # BT.601, 625 lines
    6: (0.299, 0.114),  # BT.601, 525 lines
    7: (0.212, 0.087),  # SMPTE 240M
    9: (0.2627, 0.0593),  # BT.2020, non-constant luminance
}
"""Luma weights of red and blue by matrix code (H.273, table 4)."""


@dataclass(frozen=True, kw_only=True)
class ColorTags:
    """How colours are coded: code points of H.273; `range` is 1 (limited, 16..235) or 2 (full)."""

    primaries: int = UNSPECIFIED
    transfer: int = UNSPECIFIED
    matrix: int = UNSPECIFIED
    range: int = 0


BT709 = ColorTags(primaries=1, transfer=1, matrix=1, range=LIMITED)


def usual_matrix(height: int, width: int) -> int:
    """Return the matrix players assume for an untagged video: BT.709 from 1280 x 577 up, else BT.601.

    Source: the rule of the mpv player, https://mpv.io/manual/stable/#video-filters-format.
    """
    return 1 if width >= 1280 or height > 576 else 6


def red_blue_weights(matrix: int) -> tuple[float, float]:
    """Return Kr and Kb of a matrix code; raise VideoError for a matrix that is not supported."""
    if matrix not in RED_BLUE_WEIGHTS:
        known = ", ".join(map(str, RED_BLUE_WEIGHTS))
        raise VideoError(
            f"The video's colour matrix is number {matrix} of ITU-T H.273; supported are {known}. "
            "Convert the video to BT.709 first."
        )
    return RED_BLUE_WEIGHTS[matrix]


def rgb_from_yuv(luma: Tensor, blue: Tensor, red: Tensor, matrix: int) -> Tensor:
    """Return RGB (3, H, W), not clamped, of luma in 0..1 and chroma in -0.5..0.5."""
    kr, kb = red_blue_weights(matrix)
    r = luma + 2 * (1 - kr) * red
    b = luma + 2 * (1 - kb) * blue
    return torch.stack([r, (luma - kr * r - kb * b) / (1 - kr - kb), b])


def yuv_from_rgb(rgb: Tensor, matrix: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return luma in 0..1 and the blue and red chroma in -0.5..0.5 of RGB (3, H, W) in 0..1."""
    kr, kb = red_blue_weights(matrix)
    r, g, b = rgb
    luma = kr * r + (1 - kr - kb) * g + kb * b
    return luma, (b - luma) / (2 * (1 - kb)), (r - luma) / (2 * (1 - kr))


def _scale_and_offset(bits: int, color_range: int, chroma: bool) -> tuple[float, float]:
    if color_range == FULL:
        return 2**bits - 1, 2 ** (bits - 1) if chroma else 0
    return (224 if chroma else 219) * 2 ** (bits - 8), (128 if chroma else 16) * 2 ** (bits - 8)


def dequantize(codes: Tensor, *, bits: int, color_range: int, chroma: bool = False) -> Tensor:
    """Return code values of `bits` bits as luma in 0..1 or chroma in -0.5..0.5 (H.273, equations 20-25)."""
    scale, offset = _scale_and_offset(bits, color_range, chroma)
    return (codes - offset) / scale


def quantize(values: Tensor, *, bits: int, color_range: int, chroma: bool = False) -> Tensor:
    """Return the nearest code values; the inverse of `dequantize`."""
    scale, offset = _scale_and_offset(bits, color_range, chroma)
    return (values * scale + offset).round().clamp(0, 2**bits - 1)


def enlarge_chroma(plane: Tensor, height: int, width: int, *, step_y: int, step_x: int, left: bool) -> Tensor:
    """Interpolate a chroma plane to `height` x `width` by Catmull-Rom splines.

    Every `step_y`-th row and `step_x`-th column holds a sample. Samples lie between their rows, and at the
    first of their columns (`left`, as in MPEG-2, H.264) or between the columns as well (JPEG).
    """
    rows, columns = torch.arange(height) + 0.5, torch.arange(width) + (0.0 if left else 0.5)
    plane = _sample_rows(plane, rows / step_y - 0.5) if step_y > 1 else plane
    return _sample_rows(plane.T, columns / step_x - (0.0 if left else 0.5)).T if step_x > 1 else plane


def _sample_rows(plane: Tensor, positions: Tensor) -> Tensor:
    first = positions.floor()
    t = (positions - first)[:, None]
    weights = (
        ((2 - t) * t - 1) * t / 2,
        ((3 * t - 5) * t * t + 2) / 2,
        ((4 - 3 * t) * t + 1) * t / 2,
        (t - 1) * t * t / 2,
    )
    last = plane.shape[0] - 1
    return sum(plane[(first.long() + tap - 1).clamp(0, last)] * weight for tap, weight in enumerate(weights))


def halve_chroma(plane: Tensor, *, rows: bool = True) -> Tensor:
    """Return (H, W), both even, as a 4:2:0 plane (H / 2, W / 2), sited left (the default of H.264).

    The Catmull-Rom spline is stretched to twice its width, centred between two rows and on every other column.
    Without `rows` only the columns are halved: 4:2:2.
    """
    padded = F.pad(plane[None, None], (3, 3, 3, 3), mode="replicate")
    if rows:
        between = plane.new_tensor([-3, -9, 29, 111, 111, 29, -9, -3]) / 256
        padded = F.conv2d(padded, between[None, None, :, None], stride=(2, 1))
    else:
        padded = padded[:, :, 3:-3]
    on = plane.new_tensor([-1, 0, 9, 16, 9, 0, -1]) / 32
    return F.conv2d(padded, on[None, None, None, :], stride=(1, 2))[0, 0]
