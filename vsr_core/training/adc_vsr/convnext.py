"""ConvNeXt (Liu et al.: A ConvNet for the 2020s, 2022) as OpenCLIP stores it; the pixel discriminator's backbone."""

import re
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from ...checkpoints.pickles import read_pickle
from ...checkpoints.strict import assign
from ...errors import CheckpointError

PREFIX = "visual.trunk."
"""In front of the names in a file of OpenCLIP."""
MEAN, DEVIATION = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
"""Of the pictures that CLIP was trained on."""
COARSER = {384: 1e-5}
"""The epsilon of convnext_xxlarge, by its first width; the others have 1e-6."""


class ConvNeXt(nn.Module):
    """The stem and the first stages, under the names of timm. Maps (N, 3, H, W) in -1..1 to a 4th, 8th, ... of H, W."""

    def __init__(self, *, widths: tuple[int, ...], depths: tuple[int, ...]):
        super().__init__()
        eps = COARSER.get(widths[0], 1e-6)
        self.stem = nn.Sequential(nn.Conv2d(3, widths[0], 4, stride=4), ChannelNorm(widths[0], eps))
        before = (widths[0], *widths)
        self.stages = nn.ModuleList(
            Stage(inputs, width, depth, eps) for inputs, width, depth in zip(before, widths, depths)
        )
        self.stages[0].downsample = nn.Identity()
        self.channels = widths[-1]

    def forward(self, frames: Tensor) -> Tensor:
        mean, deviation = (frames.new_tensor(values).view(3, 1, 1) for values in (MEAN, DEVIATION))
        x = self.stem(((frames + 1) / 2 - mean) / deviation)
        for stage in self.stages:
            x = stage(x)
        return x


class Stage(nn.Module):
    """Halve height and width, then residual blocks."""

    def __init__(self, channels_in: int, channels: int, depth: int, eps: float):
        super().__init__()
        halve = nn.Conv2d(channels_in, channels, 2, stride=2)
        self.downsample = nn.Sequential(ChannelNorm(channels_in, eps), halve)
        self.blocks = nn.Sequential(*(Block(channels, eps) for _ in range(depth)))

    def forward(self, x: Tensor) -> Tensor:
        return self.blocks(self.downsample(x))


class Block(nn.Module):
    """Add a depthwise 7x7 convolution and a layer four times as wide inside, scaled per channel."""

    def __init__(self, channels: int, eps: float):
        super().__init__()
        self.conv_dw = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.norm = nn.LayerNorm(channels, eps)
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(channels, 4 * channels), "fc2": nn.Linear(4 * channels, channels)})
        self.gamma = nn.Parameter(torch.full((channels,), 1e-6))

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.norm(self.conv_dw(x).movedim(1, -1))
        hidden = self.mlp["fc2"](F.gelu(self.mlp["fc1"](hidden)))
        return x + (self.gamma * hidden).movedim(-1, 1)


class ChannelNorm(nn.LayerNorm):
    """LayerNorm over the channels of (N, C, H, W)."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)


def load_convnext(path: Path, *, stages: int) -> ConvNeXt:
    """Return the first `stages` stages of the ConvNeXt in a file of OpenCLIP (.bin or .safetensors), of any size.

    Raises CheckpointError for another file.
    """
    tensors = {name.removeprefix(PREFIX): value for name, value in _read(path).items() if name.startswith(PREFIX)}
    widths, depths = _sizes(tensors)
    if len(widths) < stages:
        raise CheckpointError(
            f"{path} has {len(widths)} stages of a ConvNeXt under {PREFIX}, {stages} are needed; "
            "it should be OpenCLIP's convnext_xxlarge or another of its ConvNeXt models."
        )
    with torch.device("meta"):
        network = ConvNeXt(widths=widths[:stages], depths=depths[:stages])
    wanted = network.state_dict().keys()
    assign(network, {name: value for name, value in tensors.items() if name in wanted}, path.name)
    return network


def _sizes(tensors: dict[str, Tensor]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the width and the number of blocks of every stage."""
    blocks: dict[int, int] = {}
    widths: dict[int, int] = {}
    for name, value in tensors.items():
        if found := re.fullmatch(r"stages\.(\d+)\.blocks\.(\d+)\.gamma", name):
            stage, block = map(int, found.groups())
            blocks[stage] = max(blocks.get(stage, 0), block + 1)
            widths[stage] = len(value)
    order = sorted(blocks)
    return tuple(widths[stage] for stage in order), tuple(blocks[stage] for stage in order)


def _read(path: Path) -> dict[str, Tensor]:
    if path.suffix != ".safetensors":
        return read_pickle(path)
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} is not a readable safetensors file ({error}).") from error
