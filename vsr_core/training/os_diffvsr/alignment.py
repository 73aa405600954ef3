"""Optical flow of the clips of a batch, in the form that the network takes."""

from torch import Tensor

from ...flow import Aligned, FlowEstimator, align, join

ALL, INNER = slice(None), slice(1, -1)
"""All frames of a clip; those with both neighbours."""


def align_clips(clips: Tensor, flow: FlowEstimator, frames: slice = ALL) -> Aligned:
    """Align `frames` of each of the clips (B, T, 3, H, W) in 0..1 within its clip; indices count through all clips."""
    return join([align(clip, flow)[frames].shifted(index * len(clip)) for index, clip in enumerate(clips)])
