"""Tensors from any kind of file that weights are published in."""

from pathlib import Path

from safetensors.torch import load_file
from torch import Tensor

from .header import read_header
from .pickles import read_pickle


def read_tensors(path: str | Path) -> dict[str, Tensor]:
    """Return the named tensors of a safetensors file or of a torch pickle (.pt, .bin, .ckpt, .pkl).

    Raises CheckpointError if the file is missing or damaged, or a pickle that holds more than data.
    """
    path = Path(path)
    if path.suffix != ".safetensors":
        return read_pickle(path)
    read_header(path)
    return load_file(path)
