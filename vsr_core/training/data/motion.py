"""Turn a photograph into a moving clip: a smooth path of pans, zooms and rotations, seen without aliasing."""

from dataclasses import dataclass

import numpy as np
from numpy import ndarray
from numpy.random import Generator

from ...errors import ClipError
from .quality import detail

MARGIN = 1.15
"""Shorter side of a photograph per pixel of a clip made from it."""


@dataclass(frozen=True, kw_only=True)
class CameraPath:
    """Where the camera looks in each frame. Arrays of length T, in pixels of the picture and radians."""

    x: ndarray
    y: ndarray
    zoom: ndarray
    """Picture pixels per output pixel."""
    angle: ndarray
    tilt: ndarray
    """(T, 2) perspective per output pixel, along x and y."""


def moving_clip(photo: ndarray, frames: int, size: int, rng: Generator) -> ndarray:
    """Return uint8 (frames, size, size, 3) of a camera that moves over `photo` (H, W, 3).

    Of two random parts of the photograph the one with more detail is taken, and reduced (area average) so
    that one of its pixels is about one pixel of the clip.
    Raises ClipError if its shorter side is below smallest_photo(size).
    """
    import cv2

    room = min(photo.shape[:2]) / smallest_photo(size)
    if room < 1:
        raise ClipError(
            f"A photograph of {photo.shape[1]}x{photo.shape[0]} is too small for clips of {size} pixels; "
            f"its shorter side must be at least {smallest_photo(size)}."
        )
    reduction = min(room, float(rng.uniform(1.0, 2.0)))
    windows = [_random_window(photo, int(size * reduction * 1.5), rng) for _ in range(2)]
    photo = max(windows, key=detail)
    height, width = (max(smallest_photo(size), round(side / reduction)) for side in photo.shape[:2])
    photo = cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA)
    return follow(photo, random_path(height, width, frames, size, rng), size)


def smallest_photo(size: int) -> int:
    """Return the shorter side a photograph needs for moving clips of `size` pixels."""
    return int(size * MARGIN) + 1


def random_path(height: int, width: int, frames: int, size: int, rng: Generator) -> CameraPath:
    """Draw a smooth path whose view of `size` pixels stays inside a picture of `height` x `width`."""
    t = np.arange(frames) - (frames - 1) / 2
    zoom = rng.uniform(1.0, 1.1) * np.exp(rng.uniform(-0.01, 0.01) * t)
    angle = rng.uniform(-0.05, 0.05) + rng.uniform(-0.01, 0.01) * t
    tilt = rng.uniform(-1e-4, 1e-4, 2) + rng.uniform(-1e-5, 1e-5, 2) * t[:, None]
    reach = size / 2 * zoom.max()
    x, y = (_random_drift(length, reach, t, rng) for length in (width, height))
    return CameraPath(x=x, y=y, zoom=zoom, angle=angle, tilt=tilt)


def follow(picture: ndarray, path: CameraPath, size: int) -> ndarray:
    """Return what a camera on `path` sees of `picture` (H, W, 3): uint8 (T, size, size, 3)."""
    import cv2

    flags, border = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP, cv2.BORDER_REFLECT_101
    homographies = [_view_to_picture(path, index, size) for index in range(len(path.x))]
    views = [
        cv2.warpPerspective(picture, homography, (size, size), flags=flags, borderMode=border)
        for homography in homographies
    ]
    return np.stack(views)


def _view_to_picture(path: CameraPath, index: int, size: int) -> ndarray:
    """Return the 3 x 3 homography from output pixels to picture pixels."""
    centre = (size - 1) / 2
    to_centre = np.array([[1, 0, -centre], [0, 1, -centre], [0, 0, 1]])
    perspective = np.array([[1, 0, 0], [0, 1, 0], [*path.tilt[index], 1]])
    cos, sin = path.zoom[index] * np.cos(path.angle[index]), path.zoom[index] * np.sin(path.angle[index])
    camera = np.array([[cos, -sin, path.x[index]], [sin, cos, path.y[index]], [0, 0, 1]])
    return camera @ perspective @ to_centre


def _random_drift(length: int, reach: float, t: ndarray, rng: Generator) -> ndarray:
    """Return centre positions: a straight drift of up to 4 pixels a frame with a slow sway, kept inside."""
    start = rng.uniform(min(reach, length / 2), max(length - reach, length / 2))
    sway = rng.uniform(0, 2) * np.sin(rng.uniform(0.2, 0.8) * t + rng.uniform(0, 2 * np.pi))
    path = start + rng.normal(0, 1.5) * t + sway
    low, high = min(reach, length / 2), max(length - reach, length / 2)
    overshoot = max(low - path.min(), 0) - max(path.max() - high, 0)
    return path + overshoot


def _random_window(photo: ndarray, side: int, rng: Generator) -> ndarray:
    height, width = (min(side, length) for length in photo.shape[:2])
    top = rng.integers(photo.shape[0] - height + 1)
    left = rng.integers(photo.shape[1] - width + 1)
    return np.ascontiguousarray(photo[top : top + height, left : left + width])
