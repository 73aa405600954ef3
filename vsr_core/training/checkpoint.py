"""Training state on disk: written whole or not at all, read without running code."""

import json
import os
from pathlib import Path

import torch

from ..errors import CheckpointError, SettingError


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


def check_same_run(before: str, now: str) -> None:
    """Raise SettingError if two configs, as JSON, differ in anything but the number of steps."""
    old, new = json.loads(before), json.loads(now)
    changed = [name for name in new if name != "steps" and new[name] != old.get(name)]
    if changed:
        raise SettingError(f"The run was started with another {', '.join(changed)}. Use the same, or another --out.")
