"""The files in which the weights of a folder are: diffusers' layout, in one piece or in several."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor

from ..errors import CheckpointError
from .tensors import read_shapes, read_tensors

NAME = "diffusion_pytorch_model"
INDEX = f"{NAME}.safetensors.index.json"
WHOLE = tuple(f"{NAME}{kind}" for kind in (".safetensors", ".bin", ".bf16.safetensors", ".fp16.safetensors"))
"""File names in a diffusers folder, the most precise first."""
SHOWN = 3


class Weights:
    """The weights of a file, or of a folder with one or several; nothing is loaded before it is asked for."""

    def __init__(self, path: str | Path, *, inside: Sequence[str] = (), names: Sequence[str] = ()):
        """Find the files at `path`: one file, or those of a folder or of its folder `inside`.

        `names` are file names to look for beside diffusers' own. Raises CheckpointError if there are none.
        """
        self.path = Path(path)
        self.origin = self.path.name or str(self.path)
        self.names: frozenset[str] | None = None
        """Tensors that an index promises; None = there is no index."""
        self.files = self._find(inside, (*WHOLE, *names)) if self.path.is_dir() else [self.path]

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return names and shapes. Raises CheckpointError if a file is missing, damaged or incomplete."""
        found = {name: shape for file in self.files for name, shape in read_shapes(file).items()}
        missing = sorted((self.names or frozenset()) - found.keys())
        if missing:
            raise CheckpointError(
                f"{self.origin} is incomplete: {len(missing)} of the tensors that {INDEX} lists are in none of its "
                f"files ({', '.join(missing[:SHOWN])}). Download it again."
            )
        return found

    def tensors(self) -> dict[str, Tensor]:
        """Return the tensors. Raises CheckpointError if a file is missing, damaged or incomplete."""
        self.shapes()
        return {name: value for file in self.files for name, value in read_tensors(file).items()}

    def _find(self, inside: Sequence[str], names: Sequence[str]) -> list[Path]:
        folders = [self.path / part for part in inside if (self.path / part).is_dir()] + [self.path]
        for folder in folders:
            if (folder / INDEX).is_file():
                places = _read_index(folder / INDEX)
                self.names = frozenset(places)
                return [folder / file for file in sorted(set(places.values()))]
            for name in names:
                if (folder / name).is_file():
                    return [folder / name]
        looked = ", ".join((INDEX, *names))
        places = " and ".join(str(folder) for folder in folders)
        raise CheckpointError(f"No weights in {places}: looked for {looked}. Name the file itself.")


def _read_index(path: Path) -> Mapping[str, str]:
    try:
        places = json.loads(path.read_text(encoding="utf-8"))["weight_map"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path} is no index of weights: {error!r}. Download it again.") from error
    files = list(places.values()) if isinstance(places, dict) else [None]
    if not files or not all(isinstance(file, str) and file and file == Path(file).name for file in files):
        raise CheckpointError(f"{path} is no index of weights: it should map tensors to files beside it.")
    return places
