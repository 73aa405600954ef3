"""CLIP-IQA (Wang et al.: Exploring CLIP for Assessing the Look and Feel of Images, 2023), by the package piq.

CLIP's ResNet-50 without position embedding and the prompts "Good photo." and "Bad photo.", as in the paper and in the
tables of the three super-resolution papers.
"""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from ..clip import check_clip
from ..errors import MissingPackageError
from ..packages import from_package
from .fidelity import check_sides

PIQ_FOLDER = Path("~/.cache/clip")
"""Where piq looks for these files before it would download them."""
FILES = ("RN50.pt", "clipiqa_tokens.pt")
SHORTEST_SIDE = 32


def load_clip_iqa() -> Callable[[Tensor], Tensor]:
    """Return `clip_iqa(clip)`: the quality of each frame of (T, 3, H, W) in 0..1, (T,) in 0..1; higher is better.

    Raises MissingPackageError if piq or its files are absent.
    """
    create = from_package("piq", "CLIPIQA", "CLIP-IQA")
    folder = PIQ_FOLDER.expanduser()
    if absent := [name for name in FILES if not (folder / name).is_file()]:
        raise MissingPackageError(
            f"{' and '.join(absent)} not found in {folder}. Get them from "
            "https://github.com/photosynthesis-team/piq/releases/tag/v0.7.1 (RN50.pt is OpenAI's CLIP, MIT), or let "
            '`python -c "import piq; piq.CLIPIQA()"` download both.'
        )
    network = create(data_range=1.0).eval()

    def clip_iqa(clip: Tensor) -> Tensor:
        check_clip(clip)
        check_sides(clip, SHORTEST_SIDE, "CLIP-IQA")
        with torch.inference_mode():
            return network(clip.float()).flatten()

    return clip_iqa
