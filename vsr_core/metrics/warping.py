"""E*_warp, the flow warping error of Lai et al., Learning Blind Video Temporal Consistency, 2018.

Differs from the paper: the flow is OpenCV's DIS instead of FlowNet 2 (newer papers: RAFT), so the figures
compare with each other and not with published ones.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..flow import DisFlow, visible, warp
from .fidelity import check_same_shape

UNIT = 1000  # E*_warp is given in 1e-3
ESTIMATOR = DisFlow("medium")


@dataclass(frozen=True)
class Motion:
    """Where each pixel of a frame is found in the next one."""

    flow: Tensor
    """(2, H, W): x and y displacement in pixels."""
    visible: Tensor
    """(H, W), bool: neither occluded, nor at a motion boundary, nor moved out of the frame."""


def warping_error(clip: Tensor, flow_source: Tensor | None = None) -> Tensor:
    """Return the error of each pair of neighbouring frames of (T, 3, H, W) in 0..1: (T - 1,), in 1e-3.

    The flow is estimated on `flow_source`, best the ground truth, shaped as `clip`; without it on the clip
    itself. A pair without any visible pixel (a scene cut) gives NaN. Raises ClipError on frames below 16 pixels.
    """
    flow_source = clip if flow_source is None else flow_source
    check_same_shape(clip, flow_source)
    pairs = range(len(clip) - 1)
    errors = [pair_error(clip[t], clip[t + 1], motion(flow_source[t], flow_source[t + 1])) for t in pairs]
    return torch.tensor(errors)


def pair_error(frame: Tensor, following: Tensor, motion: Motion) -> float:
    """Return the mean squared difference, in 1e-3, of `frame` and the warped `following` where visible."""
    squared = (warp(following[None], motion.flow[None])[0] - frame) ** 2
    return UNIT * squared[:, motion.visible].mean().item()


def motion(frame: Tensor, following: Tensor) -> Motion:
    """Estimate the motion from `frame` to `following`, each (3, H, W) in 0..1."""
    flow, back = ESTIMATOR(torch.stack([frame, following]), torch.stack([following, frame])).split(1)
    return Motion(flow[0], visible(flow, back)[0, 0])
