"""What estimates motion: a connected network, one from `models/optical_flow`, or OpenCV."""

from pathlib import Path
from typing import Any

import folder_paths
from torch import Tensor

from ..vsr_core.errors import MissingPackageError
from ..vsr_core.flow import DEFAULT, RAFT, FlowEstimator, RaftFlow, estimator, load_raft
from ..vsr_core.flow.raft import CELLS_AT_ONCE, MULTIPLE
from .runtime import ComfyRuntime, manage_parts

FOLDER = "optical_flow"
STAGES = ("align",)
BYTES_PER_CORRELATION = 12
"""RAFT compares all cells of 8 x 8 pixels with each other; float32, and three of it at its peak."""


def choose_flow(method: str, connected: Any, clip: Tensor) -> tuple[FlowEstimator, ComfyRuntime]:
    """Return the estimator for frames of the size of `clip`, ready to compute, and the runtime of its run.

    `connected` is a core OPTICAL_FLOW model or None. Raises MissingPackageError if the method needs one that is
    not there, and what `load_raft` raises.
    """
    if connected is None and method != RAFT:
        return estimator(method), ComfyRuntime({}, STAGES)
    network = load_raft(weights_file()).model if connected is None else connected.model
    runtime = ComfyRuntime(manage_parts([network]) if connected is None else {network: connected}, STAGES)
    cells = clip.shape[-2] * clip.shape[-1] // MULTIPLE**2
    runtime.load([network], max(CELLS_AT_ONCE, cells**2) * BYTES_PER_CORRELATION)
    return RaftFlow(network), runtime


def weights_file() -> Path:
    """Return the only file in `models/optical_flow`; raise MissingPackageError if there is none, or a choice."""
    known = FOLDER in folder_paths.folder_names_and_paths  # not in a ComfyUI from before May 2026
    names = folder_paths.get_filename_list(FOLDER) if known else []
    if len(names) != 1:
        raise MissingPackageError(
            f"Method raft needs the weights of torchvision's raft_large; models/{FOLDER} holds "
            f"{', '.join(names) or 'no file'}. Connect Load Optical Flow Model to optical_flow, put one such file "
            f"there, or choose {DEFAULT}."
        )
    return Path(folder_paths.get_full_path_or_raise(FOLDER, names[0]))
