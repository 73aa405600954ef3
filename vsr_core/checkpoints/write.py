"""Write a model file of ours, whole or not at all."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from ..errors import CheckpointError
from .metadata import Metadata, to_text


def write_model(
    path: str | Path,
    tensors: Mapping[str, Tensor],
    metadata: Metadata,
    *,
    dtype: torch.dtype = torch.float32,
    overwrite: bool = False,
) -> Path:
    """Write `tensors` as `dtype` with `metadata`. Raises CheckpointError if `path` is taken or not writable."""
    path = Path(path)
    if path.suffix != ".safetensors":
        raise CheckpointError(f"A model file's name ends in .safetensors, got {path.name}.")
    if path.exists() and not overwrite:
        raise CheckpointError(f"{path} exists already. Choose another name or remove it yourself.")
    temporary = path.with_name(f".{path.name}.partial")
    try:
        temporary.touch()
        mode = temporary.stat().st_mode
        save_file(
            {name: value.detach().to("cpu", dtype).contiguous() for name, value in tensors.items()},
            temporary,
            metadata=to_text(metadata),
        )
        temporary.chmod(mode)  # safetensors writes a file that nobody else may read
        os.replace(temporary, path)
    except Exception as error:
        with suppress(OSError):
            temporary.unlink()
        raise CheckpointError(f"Could not write {path}: {error}.") from error
    return path
