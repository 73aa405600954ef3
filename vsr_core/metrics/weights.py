"""Where the weights of metrics are looked for. Nothing is ever downloaded from here."""

import os
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from ..errors import CheckpointError, MissingPackageError

ENVIRONMENT_VARIABLE = "VSR_METRIC_WEIGHTS"
DEFAULT_FOLDER = Path("~/.cache/one-step-vsr/metrics")


def weights_folder(chosen: Path | None = None) -> Path:
    """Return `chosen`, else the folder named by $VSR_METRIC_WEIGHTS, else ~/.cache/one-step-vsr/metrics."""
    return Path(chosen or os.environ.get(ENVIRONMENT_VARIABLE) or DEFAULT_FOLDER).expanduser()


def load_weights(folder: Path, name: str, shapes: dict[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """Return the tensors of `folder`/`name`, checked against `shapes`.

    Raises MissingPackageError if the file is absent, CheckpointError if it is not the expected file.
    """
    path = find_weights(folder, name, f"Get it with `python benchmarks/metric_weights.py {folder}`")
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} is not a readable safetensors file ({error}).") from error
    found = {key: tuple(tensor.shape) for key, tensor in tensors.items()}
    if found != shapes:
        wrong = sorted(key for key in found.keys() | shapes.keys() if found.get(key) != shapes.get(key))
        raise CheckpointError(f"{path} does not hold the expected weights: {wrong[0]} differs. Get the file anew.")
    return tensors


def find_weights(folder: Path, name: str, how_to_get: str, cached: Path | None = None) -> Path:
    """Return `folder`/`name`, else `cached` where another package keeps it. Raises MissingPackageError."""
    for path in (folder / name, cached):
        if path is not None and path.is_file():
            return path
    raise MissingPackageError(
        f"{name} was not found in {folder}. {how_to_get} or name the folder that holds it by --weights or "
        f"${ENVIRONMENT_VARIABLE}."
    )


def hub_checkpoint(name: str) -> Path | None:
    """Return a checkpoint that torch hub has already cached, or None."""
    path = Path(torch.hub.get_dir()) / "checkpoints" / name
    return path if path.is_file() else None
