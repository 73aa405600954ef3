"""E*_warp, the flow warping error of Lai et al., Learning Blind Video Temporal Consistency, 2018.

Differs from the paper: the flow is OpenCV's DIS instead of FlowNet 2 (newer papers: RAFT), so the figures
compare with each other and not with published ones.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..clip import check_clip
from .fidelity import check_same_shape

UNIT = 1000  # E*_warp is given in 1e-3
DIS_SHORTEST_SIDE = 32


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
    itself. A pair without any visible pixel (a scene cut) gives NaN.
    """
    flow_source = clip if flow_source is None else flow_source
    check_same_shape(clip, flow_source)
    pairs = range(len(clip) - 1)
    errors = [pair_error(clip[t], clip[t + 1], motion(flow_source[t], flow_source[t + 1])) for t in pairs]
    return torch.tensor(errors)


def pair_error(frame: Tensor, following: Tensor, motion: Motion) -> float:
    """Return the mean squared difference, in 1e-3, of `frame` and the warped `following` where visible."""
    squared = (warp(following, motion.flow) - frame) ** 2
    return UNIT * squared[:, motion.visible].mean().item()


def motion(frame: Tensor, following: Tensor) -> Motion:
    """Estimate the motion from `frame` to `following`, each (3, H, W) in 0..1."""
    forward, backward = dis_flow(frame, following), dis_flow(following, frame)
    returned = warp(backward, forward)
    visible = ~occluded(forward, returned) & ~motion_boundary(forward) & inside(forward)
    return Motion(forward, visible)


def dis_flow(frame: Tensor, following: Tensor) -> Tensor:
    """Return the optical flow (2, H, W) in pixels by Dense Inverse Search (Kroeger et al., 2016)."""
    import cv2

    estimator = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow = estimator.calc(_grey(frame), _grey(following), None)
    return torch.from_numpy(flow).permute(2, 0, 1).contiguous()


def warp(image: Tensor, flow: Tensor) -> Tensor:
    """Return `image` (C, H, W) looked up at each pixel plus `flow` (2, H, W), bilinear, edges repeated."""
    height, width = image.shape[-2:]
    x, y = _positions(flow)
    grid = torch.stack([2 * x / max(width - 1, 1) - 1, 2 * y / max(height - 1, 1) - 1], dim=-1)
    return F.grid_sample(image[None], grid[None], padding_mode="border", align_corners=True)[0]


def occluded(forward: Tensor, returned: Tensor) -> Tensor:
    """Return (H, W), true where following the flow and coming back misses the start (Ruder et al., 2016)."""
    missed = ((forward + returned) ** 2).sum(dim=0)
    return missed > 0.01 * ((forward**2).sum(dim=0) + (returned**2).sum(dim=0)) + 0.5


def motion_boundary(flow: Tensor) -> Tensor:
    """Return (H, W), true where the flow (2, H, W) changes abruptly (Ruder et al., 2016)."""
    across = F.pad(flow.diff(dim=2), (0, 1)) ** 2
    down = F.pad(flow.diff(dim=1), (0, 0, 0, 1)) ** 2
    return (across + down).sum(dim=0) > 0.01 * (flow**2).sum(dim=0) + 0.002


def inside(flow: Tensor) -> Tensor:
    """Return (H, W), true where the flow (2, H, W) ends inside the frame."""
    height, width = flow.shape[-2:]
    x, y = _positions(flow)
    return (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)


def _positions(flow: Tensor) -> tuple[Tensor, Tensor]:
    height, width = flow.shape[-2:]
    return torch.arange(width) + flow[0], torch.arange(height)[:, None] + flow[1]


def _grey(frame: Tensor):
    return (check_clip(frame[None])[0].float().mean(dim=0) * 255).round().clamp(0, 255).byte().numpy()
