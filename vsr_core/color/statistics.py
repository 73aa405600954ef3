"""Match the mean and standard deviation of channels, with corrections smoothed over time."""

import torch
from torch import Tensor

SMOOTHING = 0.8
"""Share of the frame before in a frame's correction; statistics of single frames are noisy and make video flicker."""
SMALLEST_DEVIATION = 1e-4


def adain(
    frames: Tensor, reference: Tensor, before: Tensor | None = None, *, smoothing: float = SMOOTHING
) -> tuple[Tensor, Tensor]:
    """Return `frames` with the channel means and deviations of `reference`, and the state for the next frames.

    frames (T, C, H, W) and reference (T, C, h, w) may differ in size. `before` is the state that the frames just
    before gave, None at the start of a shot. With smoothing = 0 every frame matches its own reference exactly, as
    AdcSR and StableSR do.
    """
    mean, deviation = _moments(frames)
    wanted_mean, wanted_deviation = _moments(reference)
    corrections = torch.stack([wanted_mean - mean, torch.log(wanted_deviation / deviation)], dim=1)
    corrections = smooth(corrections, before, smoothing)
    shift, gain = corrections[:, 0], corrections[:, 1].exp()
    matched = (frames - _per_frame(mean)) * _per_frame(gain) + _per_frame(mean + shift)
    return matched, corrections[-1]


def smooth(values: Tensor, before: Tensor | None, share: float) -> Tensor:
    """Return the running average s_t = share * s_(t-1) + (1 - share) * v_t along the first axis."""
    smoothed = []
    for value in values:
        before = value if before is None else torch.lerp(value, before, share)
        smoothed.append(before)
    return torch.stack(smoothed)


def _moments(frames: Tensor) -> tuple[Tensor, Tensor]:
    flat = frames.float().flatten(2)
    return flat.mean(2), flat.std(2, correction=0).clamp_min(SMALLEST_DEVIATION)


def _per_frame(values: Tensor) -> Tensor:
    return values[:, :, None, None]
