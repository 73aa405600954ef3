"""Optical flow by RAFT (Teed and Deng, Recurrent All-Pairs Field Transforms for Optical Flow, 2020)."""

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..checkpoints.strict import check_fit
from ..checkpoints.tensors import read_tensors
from ..clip import crop, padding_to_multiple
from ..errors import CheckpointError, MissingPackageError
from .protocol import check_pairs

MULTIPLE = 8
"""RAFT computes in cells of so many pixels a side; frames are padded to whole ones."""
SHORTEST_SIDE = 128
"""Smaller frames are padded to it; RAFT's coarsest correlations need two cells of 64 pixels."""
CELLS_AT_ONCE = 2**26
"""Most correlations of a cell with another that are computed together, 256 MiB; a single pair may need more."""
PARTS = ("feature_encoder.", "context_encoder.", "update_block.")


@dataclass(frozen=True)
class RaftFlow:
    """A network called as torchvision's RAFT is, such as a core OPTICAL_FLOW model of ComfyUI.

    `model(images, others)`, both (N, 3, H, W) in -1..1, returns a list of ever better flows (N, 2, H, W) in pixels.
    It computes where its parameters are and in their dtype; RAFT needs float32 to be accurate.
    """

    model: nn.Module

    @torch.no_grad()
    def __call__(self, frames: Tensor, others: Tensor) -> Tensor:
        """Return the flow (N, 2, H, W) in pixels from `frames` to `others`, each (N, 3, H, W) in 0..1, of any size."""
        check_pairs(frames, others)
        height, width = frames.shape[-2:]
        count = max(1, CELLS_AT_ONCE // _cells(height, width) ** 2)
        pairs = zip(frames.split(count), others.split(count))
        flows = [self.model(self._prepared(frame), self._prepared(other))[-1] for frame, other in pairs]
        return crop(torch.cat(flows), height, width).to(frames.device, torch.float32)

    def _prepared(self, frames: Tensor) -> Tensor:
        """Return the frames in -1..1, their bottom and right edges repeated up to a size that RAFT takes."""
        parameter = next(self.model.parameters(), frames)
        bottom, right = (_padding(side) for side in frames.shape[-2:])
        frames = frames.to(parameter.device, parameter.dtype)
        return F.pad(frames, (0, right, 0, bottom), mode="replicate") * 2 - 1


def load_raft(path: str | Path, device: torch.device | str = "cpu") -> RaftFlow:
    """Return torchvision's raft_large, float32 on `device`, with the weights of a .pth or .safetensors file.

    Raises CheckpointError if the file cannot be read or holds another network, MissingPackageError without torchvision.
    """
    path = Path(path)
    tensors = read_tensors(path)
    if not all(any(name.startswith(part) for name in tensors) for part in PARTS):
        found = sorted({name.split(".")[0] for name in tensors})[:8]
        raise CheckpointError(
            f"{path.name} holds {', '.join(found)}; expected the state dict of torchvision's raft_large with "
            f"{', '.join(PARTS)} such as raft_large_C_T_SKHT_V2-ff5fadd5.pth."
        )
    network = _raft_large()
    shapes = {name: tuple(value.shape) for name, value in tensors.items()}
    check_fit(network, shapes, f"{path.name}, read as raft_large,")
    network.load_state_dict(tensors, assign=True)
    return RaftFlow(network.to(device, torch.float32).eval().requires_grad_(False))


def _raft_large() -> nn.Module:
    """Return the network on `meta`."""
    try:
        from torchvision.models.optical_flow import raft_large
    except (ImportError, RuntimeError) as error:  # torchvision raises RuntimeError beside another torch
        raise MissingPackageError(
            f"Optical flow with raft needs the package torchvision, which cannot be imported ({error}). Install the "
            "torchvision made for this torch (pytorch.org/get-started), or choose dis-medium, which needs none."
        ) from error
    with torch.device("meta"):
        return raft_large(weights=None, progress=False)


def _padding(side: int) -> int:
    return max(SHORTEST_SIDE - side, padding_to_multiple(side, MULTIPLE))


def _cells(height: int, width: int) -> int:
    return (height + _padding(height)) * (width + _padding(width)) // MULTIPLE**2
