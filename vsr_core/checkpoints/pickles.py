"""Published weights that come as pickles: read as data only, never run."""

from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor

from ..errors import CheckpointError


def read_pickle(path: str | Path) -> dict[str, Tensor]:
    """Return the tensors of a torch pickle (a state dict, or a dict holding one under `state_dict`).

    Raises CheckpointError if the file is missing, damaged, holds anything but tensors and plain containers, or
    wants to run code.
    """
    path = Path(path)
    content = load_pickle(path)
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if not isinstance(content, Mapping) or not content:
        raise CheckpointError(f"{path.name} holds a {type(content).__name__}; expected named tensors.")
    tensors = {name: value for name, value in content.items() if isinstance(name, str) and isinstance(value, Tensor)}
    if not tensors:
        raise CheckpointError(f"{path.name} holds no named tensors.")
    return tensors


def load_pickle(path: str | Path) -> Any:
    """Return what a torch pickle holds: tensors, numbers and text in plain containers. Raises CheckpointError."""
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"No file at {path}.")
    try:
        return torch.load(path, map_location="cpu", weights_only=True, mmap=_is_zip(path))
    except UnpicklingError as error:
        raise CheckpointError(
            f"{path.name} was refused: it is not a plain pickle of tensors and may run code ({_first_line(error)}). "
            "If there is a .safetensors file of the same weights, use that."
        ) from error
    except Exception as error:
        raise CheckpointError(f"{path.name} is not a whole torch file: {_first_line(error)}.") from error


def _is_zip(path: Path) -> bool:
    with open(path, "rb") as file:
        return file.read(2) == b"PK"


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
