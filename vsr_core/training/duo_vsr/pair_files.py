"""Preference pairs on disk: one safetensors file each, named by the number of its item."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.utils.data import Dataset

from ...errors import CheckpointError, SettingError

NAMES = {"clip", "z_lr", "better", "worse"}
PATTERN = "pair_*.safetensors"


def write_pairs(pairs: Dataset, numbers: Iterable[int], folder: Path) -> Iterator[Path]:
    """Write items of `pairs` as float16 and yield their files; those that are there already are not made again."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        path = folder / f"pair_{number:06d}.safetensors"
        if not path.exists():
            temporary = path.with_name(f".{path.name}.partial")
            save_file({name: value.half().contiguous() for name, value in pairs[number].items()}, temporary)
            os.replace(temporary, path)
        yield path


class PairFiles(Dataset):
    """The pairs in `folders`, in a new order every time through; item i depends on `seed` and i alone."""

    def __init__(self, folders: Sequence[Path], *, seed: int = 0):
        """Raises SettingError if there are none."""
        self.files = sorted(file for folder in folders for file in Path(folder).glob(PATTERN))
        self.seed = seed
        if not self.files:
            raise SettingError(
                f"No preference pairs ({PATTERN}) in {', '.join(map(str, folders))}. "
                "Make them by `python -m vsr_core make-data`."
            )

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        time, place = divmod(index, len(self.files))
        path = self.files[np.random.default_rng((self.seed, time)).permutation(len(self.files))[place]]
        try:
            pair = load_file(path)
        except (SafetensorError, OSError) as error:
            raise CheckpointError(f"{path} is not a readable pair ({error}). Remove it and make it anew.") from error
        if pair.keys() != NAMES:
            raise CheckpointError(f"{path} holds {sorted(pair)}; a preference pair holds {sorted(NAMES)}.")
        return {name: value.to(torch.float32) for name, value in pair.items()}
