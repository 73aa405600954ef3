"""The pairs that most recipes learn from."""

from pathlib import Path
from typing import Any

from torch.utils.data import Dataset

from .clips import ClipDataset
from .synthetic import SyntheticClips


def pairs(config: Any, folders: list[Path] | None) -> Dataset:
    """Return the pairs (LR, HR) that a recipe's config asks for, of files in `folders` or drawn by the computer."""
    shape = {name: getattr(config, name) for name in ("frames", "size", "degradation", "seed")}
    return ClipDataset(folders, **shape) if folders else SyntheticClips(**shape)
