"""Exchange the low frequencies: the input's colours, the restored frame's details."""

import torch.nn.functional as F
from torch import Tensor

LEVELS = 5


def wavelet(frames: Tensor, enlarged: Tensor) -> Tensor:
    """Return the details of `frames` on the low frequencies of `enlarged`; both (T, C, H, W).

    The low frequencies are what five levels of an undecimated wavelet transform (binomial kernel 1 2 1, steps
    1..16) leave, as in StableSR's wavelet colour fix.
    """
    return frames + (low_frequencies(enlarged) - low_frequencies(frames))


def low_frequencies(frames: Tensor, levels: int = LEVELS) -> Tensor:
    """Blur (T, C, H, W) by the binomial kernel at steps 1, 2, 4, ..."""
    for level in range(levels):
        frames = _blur(frames, 2**level)
    return frames


def _blur(frames: Tensor, step: int) -> Tensor:
    channels = frames.shape[1]
    kernel = frames.new_tensor([1, 2, 1]) / 4
    padded = F.pad(frames, (step, step, step, step), mode="replicate")
    rows = F.conv2d(padded, kernel.view(1, 1, 3, 1).repeat(channels, 1, 1, 1), dilation=step, groups=channels)
    return F.conv2d(rows, kernel.view(1, 1, 1, 3).repeat(channels, 1, 1, 1), dilation=step, groups=channels)
