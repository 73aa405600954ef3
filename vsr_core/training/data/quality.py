"""Measures that tell good training frames from bad ones. Frames are uint8 (T, H, W, 3)."""

import numpy as np
from numpy import ndarray


def detail(frame: ndarray) -> float:
    """Return the variance of the Laplacian of the luminance of (H, W, 3), in squared 8-bit levels."""
    import cv2

    luminance = cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2GRAY)
    return float(cv2.Laplacian(luminance, cv2.CV_32F).var())


def motion(frames: ndarray) -> float:
    """Return the smallest mean absolute difference of neighbouring frames, in 8-bit levels."""
    return float(_changes(frames).min()) if len(frames) > 1 else 0.0


def has_cut(frames: ndarray, change: float = 18.0, ratio: float = 3.0) -> bool:
    """Tell whether one step changes more than `change` levels and more than `ratio` times the median step."""
    if len(frames) < 2:
        return False
    changes = _changes(frames)
    return bool(changes.max() > change and changes.max() > ratio * np.median(changes))


def _changes(frames: ndarray) -> ndarray:
    thin = np.asarray(frames[:, ::4, ::4]).astype(np.int16)
    return np.abs(np.diff(thin, axis=0)).mean((1, 2, 3))
