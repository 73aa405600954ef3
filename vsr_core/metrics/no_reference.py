"""MUSIQ (Ke et al., 2021) and MANIQA (Yang et al., 2022), trained on KonIQ-10k, by the package pyiqa.

The papers' tables come from pyiqa. Its licence allows non-commercial use only, so it is the user's own to install; no
other maintained package has these networks.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from unittest.mock import patch

import torch
from torch import Tensor, nn

from ..clip import check_clip
from ..errors import CheckpointError
from ..packages import from_package
from .fidelity import check_sides
from .weights import find_weights

SOURCE = "https://huggingface.co/chaofengc/IQA-PyTorch-Weights"
MUSIQ_FILE = "musiq_koniq_ckpt-e95806b9.pth"
MANIQA_FILE = "ckpt_koniq10k.pt"
MUSIQ_SIDE, MANIQA_SIDE = 32, 224
"""Shortest sides: a patch of MUSIQ, a crop of MANIQA."""


def load_musiq(folder: Path) -> Callable[[Tensor], Tensor]:
    """Return `musiq(clip)`: the quality of each frame of (T, 3, H, W) in 0..1, (T,) about 0..100; higher is better.

    Raises MissingPackageError if pyiqa or its weights are absent.
    """
    return _load("musiq", "MUSIQ", folder, MUSIQ_FILE, MUSIQ_SIDE)


def load_maniqa(folder: Path) -> Callable[[Tensor], Tensor]:
    """Return `maniqa(clip)`: the quality of each frame of (T, 3, H, W) in 0..1, (T,) about 0..1; higher is better.

    It is the mean over 20 crops of 224x224. Raises MissingPackageError if pyiqa or its weights are absent.
    """
    return _load("maniqa", "MANIQA", folder, MANIQA_FILE, MANIQA_SIDE)


def _load(metric: str, title: str, folder: Path, file: str, shortest_side: int) -> Callable[[Tensor], Tensor]:
    create = from_package("pyiqa", "create_metric", f"{title} (non-commercial use only)")
    cached = Path(torch.hub.get_dir()) / "pyiqa" / file
    path = find_weights(folder, file, f"Get it from {SOURCE} (non-commercial)", cached)
    network = untrained(create, metric)
    _fill(network.net, path)

    def rate(clip: Tensor) -> Tensor:
        check_clip(clip)
        check_sides(clip, shortest_side, title)
        return torch.stack([network(frame[None].float()).flatten()[0] for frame in clip])

    return rate


def untrained(create: Callable[..., nn.Module], metric: str) -> nn.Module:
    """Return pyiqa's network; it would download MANIQA's ViT only for the weights to be replaced."""
    timm = from_package("timm", None, "pyiqa")
    without_download = partial(_create_without_weights, timm.create_model)
    with patch.object(timm, "create_model", without_download):
        return create(metric, pretrained=False, device=torch.device("cpu"))


def _create_without_weights(create: Callable[..., nn.Module], name: str, **options) -> nn.Module:
    return create(name, **(options | {"pretrained": False}))


def _fill(network: nn.Module, path: Path) -> None:
    state = torch.load(path, map_location="cpu", weights_only=True)
    state = state.get("params", state)
    try:
        network.load_state_dict({name.removeprefix("module."): value for name, value in state.items()})
    except RuntimeError as error:
        raise CheckpointError(f"{path} does not fit this version of pyiqa: {error}") from error
