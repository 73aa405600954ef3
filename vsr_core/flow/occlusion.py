"""Which pixels of a frame can be seen in another one (Ruder et al., Artistic Style Transfer for Videos, 2016)."""

import torch.nn.functional as F
from torch import Tensor

from .warp import positions, warp


def visible(flow: Tensor, back: Tensor) -> Tensor:
    """Return (N, 1, H, W), true where a pixel is neither occluded, nor at a motion boundary, nor out of the frame.

    `flow` (N, 2, H, W) leads from the frames to others, `back` from those to the frames.
    """
    return ~occluded(flow, warp(back, flow)) & ~motion_boundary(flow) & inside(flow)


def occluded(flow: Tensor, returned: Tensor) -> Tensor:
    """Return (N, 1, H, W), true where following `flow` and coming back by `returned` misses the start.

    Both (N, 2, H, W) in pixels; `returned` is the flow back, looked up where `flow` leads. Equation 5 there.
    """
    return _squared(flow + returned) > 0.01 * (_squared(flow) + _squared(returned)) + 0.5


def motion_boundary(flow: Tensor) -> Tensor:
    """Return (N, 1, H, W), true where `flow` (N, 2, H, W) changes abruptly. Equation 6 there."""
    across = F.pad(flow.diff(dim=3), (0, 1))
    down = F.pad(flow.diff(dim=2), (0, 0, 0, 1))
    return (across**2 + down**2).sum(dim=1, keepdim=True) > 0.01 * _squared(flow) + 0.002


def inside(flow: Tensor) -> Tensor:
    """Return (N, 1, H, W), true where `flow` (N, 2, H, W) ends inside the frame."""
    height, width = flow.shape[-2:]
    x, y = positions(flow)
    return ((x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1))[:, None]


def _squared(flow: Tensor) -> Tensor:
    return (flow**2).sum(dim=1, keepdim=True)
