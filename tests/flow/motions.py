"""Pictures moved by known smooth motions: `before[p] == after[p + flow[p]]`."""

import math
from functools import cache
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from vsr_core.video import read_frames

CLIP = Path(__file__).parents[2] / "workflows" / "assets" / "night_city_240p.mp4"
HEIGHT, WIDTH = 136, 240
WAVES, SHORTEST, LONGEST = 48, 8, 48
BORDER = 8
"""Pixels next to the frame's edges that are left out of figures of accuracy."""

Y, X = torch.meshgrid(torch.arange(HEIGHT).double(), torch.arange(WIDTH).double(), indexing="ij")


def motion(x: float = 0, y: float = 0, zoom: float = 1, degrees: float = 0) -> Tensor:
    """Return the flow (1, 2, H, W), float64, of a zoom and turn about the middle followed by a translation."""
    turn, across, down = math.radians(degrees), X - (WIDTH - 1) / 2, Y - (HEIGHT - 1) / 2
    to_x = zoom * (math.cos(turn) * across - math.sin(turn) * down) - across + x
    to_y = zoom * (math.sin(turn) * across + math.cos(turn) * down) - down + y
    return torch.stack([to_x, to_y])[None]


MOTIONS = {
    "half a pixel": motion(0.5, 0.25),
    "fractions of pixels": motion(1.3, -0.7),
    "a pan": motion(4.6, 2.2),
    "a slow zoom": motion(zoom=1.02),
    "a slow turn": motion(degrees=1),
    "all of it": motion(1.5, -0.8, zoom=1.015, degrees=0.7),
}


@cache
def textures(name: str) -> tuple[Tensor, Tensor]:
    """Return a picture of waves of 8 to 48 pixels before and after a motion, (1, 3, H, W): exact, never resampled."""
    flow = MOTIONS[name]
    return texture(X + flow[0, 0], Y + flow[0, 1]), texture(X, Y)


def texture(x: Tensor, y: Tensor) -> Tensor:
    """Return (1, 3, H, W), float32 in 0..1: a picture that is defined everywhere, at the positions (H, W)."""
    generator = torch.Generator().manual_seed(0)
    octaves = math.log(LONGEST / SHORTEST)
    lengths = SHORTEST * torch.exp(octaves * torch.rand(WAVES, 1, 1, generator=generator)).double()
    angles = 2 * math.pi * torch.rand(WAVES, 1, 1, generator=generator).double()
    phases = 2 * math.pi * torch.rand(3, WAVES, 1, 1, generator=generator).double()
    along = 2 * math.pi * (x * angles.cos() + y * angles.sin()) / lengths
    sums = (lengths.sqrt() * torch.sin(along + phases)).sum(1)
    return (0.5 + 0.14 * sums / (lengths.sum() / 2).sqrt()).clamp(0, 1).float()[None]


@cache
def photos(name: str) -> tuple[Tensor, Tensor]:
    """Return a frame of the demo clip before and after a motion, (1, 3, H, W); bicubic resampling moves it."""
    flow, after = MOTIONS[name], next(iter(read_frames(CLIP, 0, 1))).image[None]
    x, y = X + flow[0, 0], Y + flow[0, 1]
    grid = torch.stack([2 * x / (WIDTH - 1) - 1, 2 * y / (HEIGHT - 1) - 1], -1)[None].float()
    before = F.grid_sample(after, grid, mode="bicubic", padding_mode="border", align_corners=True)
    return before.clamp(0, 1), after


def panning(frames: int, height: int = 72, width: int = 96, x: float = 1.5, y: float = -0.75) -> Tensor:
    """Return a clip (T, 3, H, W) of the texture, each frame moved by (x, y) pixels more."""
    across, down = X[:height, :width], Y[:height, :width]
    return torch.cat([texture(across - t * x, down - t * y) for t in range(frames)])


def inner(values: Tensor) -> Tensor:
    """Return values (..., H, W) without BORDER pixels at every edge."""
    return values[..., BORDER:-BORDER, BORDER:-BORDER]
