"""Where models are: built into the package, and in the user's model folders."""

import os
from pathlib import Path

from .errors import CheckpointError

BUILT_IN = Path(__file__).parent / "weights"
DEFAULT = "adcvsr-small"
FOLDERS_VARIABLE = "VSR_MODELS"


def built_in() -> dict[str, Path]:
    """Return the models that come with the package, by name."""
    return {path.stem: path for path in sorted(BUILT_IN.glob("*.safetensors"))}


def model_folders() -> list[Path]:
    """Return the folders named in $VSR_MODELS, and ComfyUI's models/vsr if the pack lies in its custom_nodes."""
    named = [Path(part) for part in os.environ.get(FOLDERS_VARIABLE, "").split(os.pathsep) if part]
    custom_nodes = Path(__file__).absolute().parents[2]
    comfyui = [custom_nodes.parent / "models" / "vsr"] if custom_nodes.name == "custom_nodes" else []
    return [folder for folder in named + comfyui if folder.is_dir()]


def found() -> dict[str, Path]:
    """Return the model files in the user's folders, by name relative to their folder; the first folder wins."""
    files: dict[str, Path] = {}
    for folder in model_folders():
        for path in sorted(folder.rglob("*.safetensors")):
            files.setdefault(path.relative_to(folder).as_posix(), path)
    return files


def find(name: str) -> Path:
    """Return the file of a built-in model, of one in the model folders, or at a path. Raises CheckpointError."""
    known = {**found(), **built_in()}
    if name in known:
        return known[name]
    if Path(name).exists():
        return Path(name)
    raise CheckpointError(
        f"No model called {name!r}, and no file at that path. Known: {', '.join(known) or 'none'}. "
        f"Model folders: {', '.join(map(str, model_folders())) or f'none (set {FOLDERS_VARIABLE})'}."
    )
