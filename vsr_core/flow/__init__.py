"""Where things move between frames: optical flow, warping along it, and what it hides.

Flow is (N, 2, H, W), x and y displacement in pixels: pixel p of a frame is found at p + flow(p) in the other one
(docs/conventions.md).
"""

from .align import Aligned, align, join, warped_neighbours
from .dis import DisFlow
from .estimate import DEFAULT, ESTIMATORS, RAFT, estimator
from .occlusion import inside, motion_boundary, occluded, visible
from .protocol import FlowEstimator
from .raft import RaftFlow, load_raft
from .warp import warp

__all__ = [
    "DEFAULT",
    "ESTIMATORS",
    "RAFT",
    "Aligned",
    "DisFlow",
    "FlowEstimator",
    "RaftFlow",
    "align",
    "estimator",
    "inside",
    "join",
    "load_raft",
    "motion_boundary",
    "occluded",
    "visible",
    "warp",
    "warped_neighbours",
]
