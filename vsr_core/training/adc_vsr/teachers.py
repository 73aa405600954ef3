"""Who shows the student what to make of a clip (paper section 3.3: x_teacher)."""

from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from ...errors import SettingError
from .dove import load_dove


class Teacher(Protocol):
    """Clips to learn from."""

    name: str
    """What a model that learned from it says."""

    def __call__(self, lr: Tensor, hr: Tensor) -> Tensor:
        """Return clips like `hr` (B, T, 3, H, W) for `lr` (B, T, 3, H / 4, W / 4), all in -1..1, without gradients."""


class Given:
    """The clips that come with the data: the true ones, or what a teacher made of the same videos before.

    The true ones are the paper's table 4, row "HR GT Only".
    """

    def __init__(self, name: str):
        self.name = name

    def __call__(self, lr: Tensor, hr: Tensor) -> Tensor:
        return hr


GROUND_TRUTH = Given("ground truth")

ARGUMENTS = {
    "--teacher-clips": "folder with what a teacher made of the videos in --data, under the same names",
    "--dove": "folder of DOVE in diffusers' layout, the paper's teacher; without a teacher: the true clips",
}
DATA_FILES = ("--teacher-clips",)
"""The options that `dataset` takes as well."""


def choose_teacher(device: torch.device, *, teacher_clips: Path | None, dove: Path | None) -> Teacher:
    """Return the teacher that the options name. Raises SettingError if they name two."""
    if dove is None:
        return Given("teacher clips") if teacher_clips else GROUND_TRUTH
    if teacher_clips is not None:
        raise SettingError("--teacher-clips and --dove are two teachers; choose one.")
    return load_dove(dove, device)
