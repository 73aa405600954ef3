"""Which models there are: those built in, and the files in ComfyUI's `models/vsr` folders."""

import os
from pathlib import Path

import folder_paths

from ..vsr_core.errors import CheckpointError
from ..vsr_core.models import built_in, how_to_get_more

FOLDER = "vsr"
EXTENSIONS = {".safetensors"}


def register_model_folder() -> None:
    """Add `models/vsr`, next to folders that extra_model_paths.yaml may have named already."""
    paths, _ = folder_paths.folder_names_and_paths.get(FOLDER, ([], set()))
    default = os.path.join(folder_paths.models_dir, FOLDER)
    folder_paths.folder_names_and_paths[FOLDER] = ([*dict.fromkeys([*paths, default])], EXTENSIONS)


def model_names() -> list[str]:
    """Return the names a user can choose from; only those of files carry an extension."""
    return [*built_in(), *folder_paths.get_filename_list(FOLDER)]


def model_path(name: str) -> Path:
    """Return the file of a name that `model_names` offers. Raises CheckpointError for any other."""
    path = built_in().get(name) or folder_paths.get_full_path(FOLDER, name)
    if path is None:
        raise CheckpointError(
            f"There is no model called {name}. Built in: {', '.join(built_in())}; files belong into "
            f"{' or '.join(folder_paths.get_folder_paths(FOLDER))}. {how_to_get_more()}"
        )
    return Path(path)
