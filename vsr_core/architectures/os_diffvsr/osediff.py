"""Read osediff.pkl: OSEDiff's LoRA of the UNet and of the VAE's encoder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from ...checkpoints.pickles import load_pickle
from ...errors import CheckpointError
from .config import OSDiffVSRConfig
from .sd21 import check_text_width

MODULES = {
    "unet": {
        "unet_lora_encoder_modules": "default_encoder",
        "unet_lora_decoder_modules": "default_decoder",
        "unet_lora_others_modules": "default_others",
    },
    "vae": {"vae_lora_encoder_modules": "default_encoder"},
}
"""Entries of the file that list the modules of an adapter, by part."""
EXPECTED = "expected OSEDiff's osediff.pkl"


def read_osediff(path: str | Path, config: OSDiffVSRConfig) -> dict[str, dict[str, Tensor]]:
    """Return the tensors of "unet" and of "vae" by their peft names: LoRA pairs, and base layers that were trained.

    Raises CheckpointError if the file is another, incomplete, contradicts itself or is for another base model.
    """
    path = Path(path)
    content = load_pickle(path)
    parts = {part: _part(content, part, path.name) for part in MODULES}
    check_text_width(parts["unet"], config, path.name)
    return parts


def _part(content: Any, part: str, origin: str) -> dict[str, Tensor]:
    names = (f"state_dict_{part}", f"rank_{part}", *MODULES[part])
    missing = [name for name in names if not isinstance(content, Mapping) or name not in content]
    if missing:
        raise CheckpointError(f"{origin} has no {', '.join(missing)}; {EXPECTED}.")
    tensors = content[f"state_dict_{part}"]
    if not isinstance(tensors, Mapping) or not all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in tensors.items()
    ):
        raise CheckpointError(f"state_dict_{part} of {origin} holds more than named tensors; {EXPECTED}.")
    _check_rank(tensors, content[f"rank_{part}"], f"{origin} says rank_{part}")
    for entry, adapter in MODULES[part].items():
        _check_complete(tensors, content[entry], adapter, entry, origin)
    return dict(tensors)


def _check_rank(tensors: Mapping[str, Tensor], rank: Any, claim: str) -> None:
    """Raise CheckpointError for a LoRA tensor of another rank: A is (rank, in, ...), B is (out, rank, ...)."""
    for name, value in tensors.items():
        axis = 0 if ".lora_A." in name else 1
        if ".lora_" in name and (value.ndim < 2 or value.shape[axis] != rank):
            found = f"of rank {value.shape[axis]}" if value.ndim >= 2 else f"of size {tuple(value.shape)}"
            raise CheckpointError(f"{claim} {rank}, but {name} is {found}; {EXPECTED}.")


def _check_complete(tensors: Mapping[str, Tensor], modules: Any, adapter: str, entry: str, origin: str) -> None:
    if not isinstance(modules, list) or not all(isinstance(module, str) for module in modules):
        raise CheckpointError(f"{entry} of {origin} is no list of names; {EXPECTED}.")
    for name in (f"{module}.lora_{letter}.{adapter}.weight" for module in modules for letter in "AB"):
        if name not in tensors:
            raise CheckpointError(f"{origin} is incomplete: {entry} asks for {name}. Download it again.")
