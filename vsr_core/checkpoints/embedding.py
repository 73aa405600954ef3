"""A text embedding from any kind of file with one tensor."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import CheckpointError
from .pickles import load_pickle
from .tensors import read_tensors

FILES = "a .safetensors, .pt, .npy or .npz file with one tensor"


def read_embedding(path: str | Path) -> Tensor:
    """Return the one tensor in a file. Raises CheckpointError if the file is missing, damaged or has not just one."""
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"No prompt embedding at {path}.")
    tensors = _tensors(path)
    if len(tensors) != 1:
        found = f"{len(tensors)} tensors ({', '.join(tensors):.200})"
        raise CheckpointError(f"{path.name} holds {found}; expected {FILES}.")
    return next(iter(tensors.values()))


def _tensors(path: Path) -> dict[str, Tensor]:
    if path.suffix == ".safetensors":
        return read_tensors(path)
    content = _read_numpy(path) if path.suffix in (".npy", ".npz") else load_pickle(path)
    if isinstance(content, Tensor):
        content = {"the tensor": content}
    if not isinstance(content, dict) or not all(isinstance(value, Tensor) for value in content.values()):
        raise CheckpointError(f"{path.name} holds a {type(content).__name__}; expected {FILES}.")
    return content


def _read_numpy(path: Path) -> dict[str, Tensor]:
    try:
        content: Any = np.load(path, allow_pickle=False)
        arrays = {"the array": content} if isinstance(content, np.ndarray) else dict(content)
        return {name: torch.from_numpy(array) for name, array in arrays.items()}
    except Exception as error:
        raise CheckpointError(f"{path.name} is not a whole NumPy file of numbers: {error}.") from error
