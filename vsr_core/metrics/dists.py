"""DISTS (Ding et al.: Image Quality Assessment: Unifying Structure and Texture Similarity, 2020).

Written out here because its packages need torchvision or download their weights; usable as a metric and as a loss.
"""

from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .fidelity import check_same_shape, check_sides
from .weights import load_weights

WEIGHTS_FILE = "dists.safetensors"
STAGES = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
"""Channels and convolutions of each of VGG16's stages."""
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SMALL = 1e-6
"""c1 and c2 of equations 2 and 3."""
SHORTEST_SIDE = 32
CHANNELS = 3 + sum(channels for channels, _ in STAGES)


class DISTS(nn.Module):
    """The distance of frames; 0 = alike in structure and texture, about 1 = nothing in common.

    Its state is that of VGG16's convolutions (`stages.I.J`) and the weight of every feature in both terms.
    """

    def __init__(self):
        super().__init__()
        inputs = (3, *(channels for channels, _ in STAGES))
        self.stages = nn.ModuleList(_stage(before, *stage) for before, stage in zip(inputs, STAGES))
        self.alpha = nn.Parameter(torch.full((CHANNELS,), 1.0))
        self.beta = nn.Parameter(torch.full((CHANNELS,), 1.0))
        self.register_buffer("mean", torch.tensor(MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(DEVIATION).view(3, 1, 1), persistent=False)
        self.eval().requires_grad_(False)

    def forward(self, frames: Tensor, reference: Tensor) -> Tensor:
        """Map two (N, 3, H, W) in 0..1 to (N,)."""
        terms = [similarities(x, y) for x, y in zip(self.features(frames), self.features(reference))]
        texture, structure = (torch.cat(term, dim=1) for term in zip(*terms))
        total = self.alpha.sum() + self.beta.sum()
        return 1 - (texture @ self.alpha + structure @ self.beta) / total

    def features(self, frames: Tensor) -> list[Tensor]:
        """Return the frames themselves and the output of each stage."""
        return [frames, *stage_outputs(self.stages, (frames - self.mean) / self.deviation)]


def stage_outputs(stages: nn.ModuleList, frames: Tensor) -> list[Tensor]:
    """Return what each of VGG16's first stages makes of normalised frames (N, 3, H, W)."""
    outputs = []
    for stage in stages:
        outputs.append(stage(soft_pool(outputs[-1]) if outputs else frames))
    return outputs


def similarities(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Return texture and structure similarity (equations 2 and 3) of features (N, C, H, W), each (N, C)."""
    x, y = x.float(), y.float()
    mean_x, mean_y = x.mean((2, 3)), y.mean((2, 3))
    variance_x, variance_y = x.var((2, 3), correction=0), y.var((2, 3), correction=0)
    covariance = (x * y).mean((2, 3)) - mean_x * mean_y
    texture = (2 * mean_x * mean_y + SMALL) / (mean_x**2 + mean_y**2 + SMALL)
    structure = (2 * covariance + SMALL) / (variance_x + variance_y + SMALL)
    return texture, structure


def soft_pool(x: Tensor) -> Tensor:
    """Halve (N, C, H, W) by the root mean square under a Hann window, so that nothing aliases (section 3.1)."""
    row = torch.hann_window(5, periodic=False, dtype=x.dtype, device=x.device)[1:-1]
    kernel = torch.outer(row, row) / row.sum() ** 2
    power = F.conv2d(x**2, kernel.expand(x.shape[1], 1, 3, 3), stride=2, padding=1, groups=x.shape[1])
    return (power + 1e-12).sqrt()


def load_dists(folder: Path) -> DISTS:
    """Return DISTS with the weights of `folder`/dists.safetensors. Raises MissingPackageError if it is absent."""
    network = DISTS()
    network.load_state_dict(load_weights(folder, WEIGHTS_FILE, shapes()))
    return network


def shapes() -> dict[str, tuple[int, ...]]:
    """Return the name and shape of every weight."""
    return {name: tuple(value.shape) for name, value in DISTS().state_dict().items()}


def dists_metric(network: DISTS) -> Callable[[Tensor, Tensor], Tensor]:
    """Return `dists(clip, reference)`: the distance of each frame, (T,); clips are (T, 3, H, W) in 0..1."""

    def dists(clip: Tensor, reference: Tensor) -> Tensor:
        check_same_shape(clip, reference)
        check_sides(clip, SHORTEST_SIDE, "DISTS")
        with torch.inference_mode():
            return network(clip.float(), reference.float())

    return dists


def _stage(inputs: int, outputs: int, count: int) -> nn.Sequential:
    layers = (nn.Conv2d(inputs if index == 0 else outputs, outputs, 3, padding=1) for index in range(count))
    return nn.Sequential(*(module for layer in layers for module in (layer, nn.ReLU())))
