"""Training state on disk: written whole or not at all, read without running code."""

import os
from pathlib import Path

import torch

from ..errors import CheckpointError


def save(path: Path, state: dict) -> None:
    """Write `state` (tensors, numbers, strings, containers) to `path` through a temporary name."""
    temporary = path.with_name(f".{path.name}.partial")
    torch.save(state, temporary)
    os.replace(temporary, path)


def load(path: Path) -> dict:
    """Read a state written by `save`. Raises CheckpointError if there is none or it is unreadable."""
    if not path.exists():
        raise CheckpointError(f"No training state at {path}. Start without --resume, or name its folder by --out.")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise CheckpointError(f"{path} is not a readable training state ({error}).") from error
