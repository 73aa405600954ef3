"""What a safetensors file says about itself, read without loading a single weight."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open

from ..errors import CheckpointError


@dataclass(frozen=True)
class TensorInfo:
    shape: tuple[int, ...]
    dtype: str
    """safetensors' spelling: F32, F16, BF16, F8_E4M3, ..."""


@dataclass(frozen=True)
class Header:
    path: Path
    tensors: Mapping[str, TensorInfo]
    metadata: Mapping[str, str]


def read_header(path: str | Path) -> Header:
    """Read names, shapes, dtypes and metadata. Raises CheckpointError on anything but a whole safetensors file."""
    path = Path(path)
    if path.is_dir():
        raise CheckpointError(f"{path} is a folder; expected a .safetensors file.")
    if not path.exists():
        raise CheckpointError(f"No model file at {path}. `python -m vsr_core models` lists what there is.")
    if path.suffix != ".safetensors":
        raise CheckpointError(
            f"{path.name} is not a .safetensors file. Published pickles are converted once: "
            "`python -m vsr_core convert --help`."
        )
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {}
            for name in file.keys():  # noqa: SIM118 - not a dict
                part = file.get_slice(name)
                tensors[name] = TensorInfo(tuple(part.get_shape()), str(part.get_dtype()))
            return Header(path, tensors, dict(file.metadata() or {}))
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(
            f"{path.name} ({path.stat().st_size:,} bytes) is not a whole safetensors file: {error}. "
            "Download or convert it again."
        ) from error
