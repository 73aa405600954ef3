"""LPIPS (Zhang et al., 2018) with the AlexNet backbone, computed by the package `lpips`."""

import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from ..errors import MissingPackageError
from .fidelity import check_same_shape, check_sides
from .weights import hub_checkpoint, load_weights

WEIGHTS_FILE = "alexnet.safetensors"
HUB_CHECKPOINT = "alexnet-owt-7be5be79.pth"
SHORTEST_SIDE = 32
# Convolutions of torchvision's AlexNet: index in `features` -> (out, in, kernel, kernel).
CONVOLUTIONS = {
    0: (64, 3, 11, 11),
    3: (192, 64, 5, 5),
    6: (384, 192, 3, 3),
    8: (256, 384, 3, 3),
    10: (256, 256, 3, 3),
}
SHAPES = {f"features.{i}.weight": shape for i, shape in CONVOLUTIONS.items()} | {
    f"features.{i}.bias": shape[:1] for i, shape in CONVOLUTIONS.items()
}


def load_lpips(folder: Path) -> Callable[[Tensor, Tensor], Tensor]:
    """Return `lpips(clip, reference)`: the distance of each frame, (T,); clips are (T, 3, H, W) in 0..1.

    The backbone comes from `folder`/alexnet.safetensors, else from torch hub's cache.
    Raises MissingPackageError if the package or the backbone is absent.
    """
    network = load_network(folder)

    def lpips(clip: Tensor, reference: Tensor) -> Tensor:
        check_same_shape(clip, reference)
        check_sides(clip, SHORTEST_SIDE, "LPIPS")
        with torch.inference_mode():
            return network(clip.float(), reference.float(), normalize=True).flatten()

    return lpips


def load_network(folder: Path) -> nn.Module:
    """Return LPIPS as a network that passes gradients on: two (N, 3, H, W) in -1..1 to (N, 1, 1, 1).

    Files and errors are those of `load_lpips`.
    """
    backbone = alexnet_weights(folder)
    try:
        import lpips
    except (ImportError, RuntimeError) as error:  # torchvision raises RuntimeError beside another torch
        raise MissingPackageError(
            f"LPIPS needs the packages lpips and torchvision, which cannot be imported ({error}); run "
            "`pip install lpips torchvision` with a torchvision made for this torch."
        ) from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # lpips uses torchvision's old keywords
        # pnet_rand: build the backbone without asking torchvision to download it.
        network = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False).eval().requires_grad_(False)
    layers = {name: layer for name, layer in network.net.named_modules() if isinstance(layer, nn.Conv2d)}
    for name, layer in layers.items():
        index = name.rsplit(".", 1)[-1]
        layer.load_state_dict({kind: backbone[f"features.{index}.{kind}"] for kind in ("weight", "bias")})
    return network


def alexnet_weights(folder: Path) -> dict[str, Tensor]:
    """Return AlexNet's convolutions under torchvision's names.

    Raises MissingPackageError if they are neither in `folder` nor in torch hub's cache.
    """
    cached = hub_checkpoint(HUB_CHECKPOINT)
    if cached and not (folder / WEIGHTS_FILE).is_file():
        state = torch.load(cached, map_location="cpu", weights_only=True)
        return {name: state[name] for name in SHAPES}
    return load_weights(folder, WEIGHTS_FILE, SHAPES)
