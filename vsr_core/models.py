"""Where models are: built into the package, and in the user's model folders."""

import os
from pathlib import Path

from .architectures import published
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
        f"Model folders: {', '.join(map(str, model_folders())) or f'none (set {FOLDERS_VARIABLE})'}. "
        f"{how_to_get_more()}"
    )


def how_to_get_more() -> str:
    """Say what published weights a model file can be made of, where they are and under which licence."""
    named = (
        f"{name}: {', '.join(file.name for file in source.files)} of {source.homepage} ({source.licence})"
        for name, source in published().items()
    )
    return (
        "Nothing is downloaded by itself: `python -m vsr_core fetch NAME` gets published weights, and `python -m "
        f"vsr_core convert` makes a model file of them. NAME is one of {'; '.join(named)}."
    )
