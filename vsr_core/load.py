"""From a model file to a restorer: header -> architecture -> config -> strict load."""

from pathlib import Path

import torch
from safetensors.torch import load_file

from .architectures import ARCHITECTURES, architecture
from .checkpoints.header import Header, read_header
from .checkpoints.metadata import Metadata, config_from_json, from_text
from .checkpoints.tensors import read_tensors
from .contract import Restorer
from .errors import CheckpointError, SettingError


def load_restorer(path: str | Path) -> Restorer:
    """Load a model file of ours, weights on the CPU in the file's dtype.

    Raises CheckpointError if the file is damaged, unknown or does not fit its architecture.
    """
    header = read_header(path)
    metadata = identify(header)
    module = architecture(metadata.architecture)
    config = config_from_json(module.Config, metadata.config)
    return module.build(config, load_file(header.path), header.path.name)


def cast(restorer: Restorer, dtype: torch.dtype) -> Restorer:
    """Convert the weights to the computing dtype."""
    for part in restorer.parts.values():
        part.to(dtype)
    return restorer


def with_tiny_decoder(restorer: Restorer, path: str | Path) -> Restorer:
    """Return `restorer` with the tiny decoder in the file at `path`, on the CPU in the computing dtype.

    It shares the other parts. Raises CheckpointError or SettingError if the decoder is not of its latents.
    """
    path = Path(path)
    if restorer.with_decoder is None:
        raise SettingError(
            f"{path.name} cannot decode this model's latents ({restorer.architecture}). Use its own decoder (full)."
        )
    dtype = next(next(iter(restorer.parts.values())).parameters()).dtype
    return cast(restorer.with_decoder(read_tensors(path), path.name), dtype)


def compiled(restorer: Restorer) -> Restorer:
    """Compile every part with torch.compile: minutes once per size, faster frames after that."""
    restorer.parts = {name: torch.compile(part, dynamic=False) for name, part in restorer.parts.items()}
    return restorer


def identify(header: Header) -> Metadata:
    """Return what the file says it is. Raises CheckpointError, with a hint where the tensors look familiar."""
    metadata = from_text(header.metadata)
    if metadata is None:
        hints = (architecture(name).detect(header.tensors) for name in ARCHITECTURES)
        hint = next((hint for hint in hints if hint), "its tensors are of no architecture known here")
        raise CheckpointError(f"{header.path.name} is no model file of this pack: {hint}.")
    if metadata.architecture not in ARCHITECTURES:
        raise CheckpointError(
            f"{header.path.name} is for architecture {metadata.architecture!r}; "
            f"this version knows {', '.join(ARCHITECTURES)}. Update the pack."
        )
    return metadata
