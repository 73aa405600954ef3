"""Tensors from any kind of file that weights are published in."""

from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import load_file
from torch import Tensor

from .float8 import without_float8
from .header import read_header
from .pickles import read_pickle


def read_tensors(path: str | Path) -> dict[str, Tensor]:
    """Return the named tensors of a safetensors file or of a torch pickle (.pt, .bin, .ckpt, .pkl).

    8-bit floating-point numbers come as 16- or 32-bit ones.
    Raises CheckpointError if the file is missing or damaged, or a pickle that holds more than data.
    """
    path = Path(path)
    if path.suffix != ".safetensors":
        return without_float8(read_pickle(path), path.name)
    read_header(path)
    return without_float8(load_file(path), path.name)


def read_shapes(path: str | Path) -> Mapping[str, tuple[int, ...]]:
    """Return names and shapes in a file that `read_tensors` reads, without loading weights. Raises CheckpointError."""
    path = Path(path)
    if path.suffix != ".safetensors":
        return {name: tuple(value.shape) for name, value in read_pickle(path).items()}
    return {name: info.shape for name, info in read_header(path).tensors.items()}
