"""Degradations of a clip. Frames are float32 (T, H, W, 3) in 0..1; per-frame settings have length T."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy import ndarray

from ..clip import resize_bicubic
from .config import ResizeMethod


def blur(frames: ndarray, kernels: Sequence[ndarray]) -> ndarray:
    """Filter each frame with its kernel; borders are reflected."""
    import cv2

    out = [
        cv2.filter2D(frame, -1, kernel, borderType=cv2.BORDER_REFLECT_101)
        for frame, kernel in zip(frames, kernels, strict=True)
    ]
    return np.stack(out).clip(0, 1)


def resize(frames: ndarray, height: int, width: int, method: ResizeMethod) -> ndarray:
    """Resize every frame; bilinear and bicubic alias when they shrink, the other two do not."""
    if (height, width) == frames.shape[1:3]:
        return frames
    if method == "bicubic_antialiased":
        clip = torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2)
        return resize_bicubic(clip, height, width).permute(0, 2, 3, 1).contiguous().numpy()
    import cv2

    flag = {"area": cv2.INTER_AREA, "bilinear": cv2.INTER_LINEAR, "bicubic": cv2.INTER_CUBIC}[method]
    return np.stack([cv2.resize(frame, (width, height), interpolation=flag) for frame in frames]).clip(0, 1)


def gaussian_noise(frames: ndarray, sigmas: Sequence[float], *, gray: bool, rng: np.random.Generator) -> ndarray:
    """Add normal noise of standard deviation sigmas / 255, one sample per pixel (`gray`) or per value."""
    noise = rng.standard_normal(_noise_shape(frames, gray), dtype=np.float32)
    return (frames + noise * (_per_frame(sigmas) / 255)).clip(0, 1)


def poisson_noise(frames: ndarray, scales: Sequence[float], *, gray: bool, rng: np.random.Generator) -> ndarray:
    """Add `scales` times the shot noise of an 8-bit image, taken from the luminance if `gray`.

    Differs from the paper: always 256 levels, where Real-ESRGAN counts the levels that occur in the image.
    """
    levels = 256
    light = frames @ np.array([[0.299], [0.587], [0.114]], np.float32) if gray else frames
    light = light.clip(0, 1)
    noise = rng.poisson(light * levels).astype(np.float32) / levels - light
    return (frames + noise * _per_frame(scales)).clip(0, 1)


def jpeg(frames: ndarray, qualities: Sequence[float]) -> ndarray:
    """Compress each frame as JPEG of quality 1..100."""
    import cv2

    out = []
    for frame, quality in zip(to_uint8(frames), qualities, strict=True):
        _, data = cv2.imencode(".jpg", frame[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, round(quality)])
        out.append(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])
    return to_float(np.stack(out))


def to_uint8(frames: ndarray) -> ndarray:
    """Round 0..1 to 8 bits."""
    return (frames * 255 + 0.5).clip(0, 255).astype(np.uint8)


def to_float(frames: ndarray) -> ndarray:
    """Scale 8-bit values to float32 in 0..1."""
    return frames.astype(np.float32) / 255


def _noise_shape(frames: ndarray, gray: bool) -> tuple[int, ...]:
    return (*frames.shape[:3], 1 if gray else frames.shape[3])


def _per_frame(values: Sequence[float]) -> ndarray:
    return np.asarray(values, np.float32)[:, None, None, None]
