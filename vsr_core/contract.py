"""What every architecture offers. Everything outside `architectures/` is written against this page."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Tensor, nn

Stage = Literal["step", "decode"]


@dataclass(frozen=True, kw_only=True)
class Requirements:
    """Sizes an architecture works with. Pixels are input (low-resolution) pixels unless named otherwise."""

    scale: int
    """Output pixels per input pixel, in both directions."""
    multiple: int
    """Height and width of a padded input are multiples of this."""
    latent_stride: int
    """Input pixels per latent cell, in both directions."""
    latent_channels: int
    """Channels of what `step` returns."""
    window: int
    """Frames the network sees at once by default."""
    overlap: int
    """Frames two neighbouring windows share by default."""
    tile_overlap: int
    """Pixels two neighbouring tiles share by default."""
    min_tile: int
    """Smallest tile side that is still worth computing, pixels."""
    max_tile: int
    """Largest tile side the network handles well; larger frames are always cut."""
    dtypes: tuple[torch.dtype, ...]
    """Computing dtypes, best first."""
    color: str
    """Default colour correction, a name of `color.MODES`."""


class Restorer(Protocol):
    """A loaded model. Clips are (T, 3, H, W) in 0..1, padded to `requirements`; latents (T', C, H', W').

    The three methods run in inference mode on the device and dtype the parts are on.
    """

    architecture: str
    requirements: Requirements
    parts: Mapping[str, nn.Module]
    """Named modules, so that a runtime can load and offload them one by one."""
    stage_parts: Mapping[Stage, tuple[str, ...]]
    """Names of the parts that each stage computes with."""

    def encode(self, clip: Tensor) -> Tensor:
        """Return the latent that `step` starts from."""

    def step(self, latent: Tensor, *, seed: int) -> Tensor:
        """Run the one diffusion step. Deterministic in `latent` and `seed`."""

    def decode(self, latent: Tensor, clip: Tensor) -> Tensor:
        """Return the restored frames (T, 3, scale * H, scale * W) of `latent`; `clip` is its input."""

    def memory_bytes(self, stage: Stage, frames: int, height: int, width: int, dtype: torch.dtype) -> int:
        """Estimate the peak working memory of a stage for a clip of this size, weights not included."""
