"""The colour corrections by name."""

from typing import Literal, get_args

from torch import Tensor

from ..clip import resize_bicubic
from ..errors import SettingError
from .lab import match_lab
from .statistics import adain
from .wavelet import wavelet

Mode = Literal["none", "adain", "wavelet", "lab"]
MODES: tuple[str, ...] = get_args(Mode)


def correct(mode: str, frames: Tensor, clip: Tensor, before: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Return `frames` (T, 3, H, W) with the colours of their input `clip` (T, 3, h, w), and the state to pass on.

    `before` is the state of the frames just before, None at the start of a shot. Values are not clamped.
    """
    if mode == "none":
        return frames, None
    if mode == "adain":
        return adain(frames, clip, before)
    if mode == "wavelet":
        return wavelet(frames, resize_bicubic(clip, *frames.shape[-2:])), None
    if mode == "lab":
        return match_lab(frames, clip, before)
    raise SettingError(f"Unknown colour correction {mode!r}; choose one of {', '.join(MODES)}.")
