"""Choose an optical flow estimator by name."""

from pathlib import Path

import torch

from ..errors import SettingError
from .dis import SHORTEST_SIDE, DisFlow
from .protocol import FlowEstimator
from .raft import load_raft

RAFT = "raft"
ESTIMATORS = (*(f"dis-{preset}" for preset in SHORTEST_SIDE), RAFT)
DEFAULT = "dis-medium"


def estimator(
    name: str = DEFAULT, weights: str | Path | None = None, device: torch.device | str = "cpu"
) -> FlowEstimator:
    """Return the estimator called `name`, one of ESTIMATORS; raft needs a file of `weights` and computes on `device`.

    Raises SettingError on an unknown name, or weights that are missing or not used, and what `load_raft` raises.
    """
    if name not in ESTIMATORS:
        raise SettingError(f"There is no optical flow method {name!r}; choose one of {', '.join(ESTIMATORS)}.")
    if name != RAFT and weights is not None:
        raise SettingError(f"Optical flow with {name} uses no weights, got {weights}. Leave them out, or choose raft.")
    if name != RAFT:
        return DisFlow(name.removeprefix("dis-"))
    if weights is None:
        raise SettingError(
            f"Optical flow with raft needs a weights file: torchvision's raft_large. Give one, or choose {DEFAULT}."
        )
    return load_raft(weights, device)
