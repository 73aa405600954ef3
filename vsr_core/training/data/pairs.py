"""The pairs that most recipes learn from."""

from pathlib import Path
from typing import Any

from torch.utils.data import Dataset

from ...errors import SettingError
from .clips import ClipDataset
from .synthetic import SyntheticClips
from .taught import TaughtClips


def pairs(config: Any, folders: list[Path] | None, teacher_clips: Path | None = None) -> Dataset:
    """Return the pairs (LR, HR) that a recipe's config asks for, of files in `folders` or drawn by the computer.

    With `teacher_clips`, a folder of the same files as a teacher restored them, these stand in HR's place.
    """
    shape = {name: getattr(config, name) for name in ("frames", "size", "degradation", "seed")}
    if teacher_clips is not None:
        if not folders:
            raise SettingError("--teacher-clips goes with the videos that the teacher restored; name them by --data.")
        return TaughtClips(folders, teacher_clips, **shape)
    return ClipDataset(folders, **shape) if folders else SyntheticClips(**shape)
