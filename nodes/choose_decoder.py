"""What decodes: the model's own decoder, or a tiny one from `models/vae_approx`."""

from pathlib import Path

import folder_paths

from ..vsr_core.load import with_tiny_decoder
from .runtime import manage_parts
from .sockets import VSRModel

FOLDER = "vae_approx"
FULL = "full"
TINY = "taew2_1"
"""Part of the names of files that decode Wan2.1's latents."""


def decoder_names() -> list[str]:
    """Return the decoders a user can choose from; only those of files carry an extension."""
    return [FULL, *(name for name in folder_paths.get_filename_list(FOLDER) if TINY in Path(name).name.lower())]


def choose_decoder(model: VSRModel, name: str) -> VSRModel:
    """Return `model` with the decoder of that name. Raises CheckpointError or SettingError if it does not fit."""
    if name == FULL:
        return model
    restorer = with_tiny_decoder(model.restorer, folder_paths.get_full_path_or_raise(FOLDER, name))
    added = [part for part in restorer.parts.values() if part not in model.patchers]
    return VSRModel(restorer, {**model.patchers, **manage_parts(added)})
