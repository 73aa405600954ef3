"""What every architecture offers. Everything outside `architectures/` is written against this page."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

import torch
from torch import Tensor, nn

from .flow import Aligned

Stage = Literal["encode", "step", "decode"]
STAGES: tuple[Stage, ...] = get_args(Stage)
Alignment = Literal["pixels", "latents"]
ALIGNMENTS: tuple[Alignment, ...] = get_args(Alignment)


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
    image_latent: bool
    """True: the latent of a frame is a picture of its own, as image VAEs make it; False: a clip has one latent."""
    frames_per_latent: int
    """Frames that one latent frame stands for; the first latent frame of a shot stands for its first frame alone."""
    noise: bool
    """True: `step` starts from noise."""
    step_mixes_frames: bool
    """True: `step` sees a whole window at once. False: frame by frame; it may be called with any part of it."""
    text_width: int
    """Channels of the text embedding that `step` accepts; 0 = the model takes no text."""
    window: int
    """Frames the network sees at once by default: 1 and a multiple of `frames_per_latent`."""
    overlap: int
    """Frames two neighbouring windows share by default: a multiple of `frames_per_latent`."""
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


@dataclass(frozen=True, kw_only=True)
class FusionSettings:
    """How a frame is joined with its aligned neighbours; None = the model's own value."""

    alignment: Alignment | None = None
    """What is warped: the neighbouring frames before they are encoded, or their latents."""
    alpha: float | None = None
    """How fast confidence falls with the warping error."""
    mu: float | None = None
    """Confidence below which a frame keeps its own latent."""
    sample: bool = False
    """Draw the latents from the encoder's distribution instead of taking its mean."""


class Fusion(Protocol):
    """Joins each frame with its neighbours before the step."""

    def sources(self, clip: Tensor, aligned: Aligned, settings: FusionSettings) -> Tensor:
        """Return the frames (N, 3, H, W) to encode for the frames that `aligned` describes in `clip` (T, 3, H, W)."""

    def fuse(self, latent: Tensor, aligned: Aligned, settings: FusionSettings, noise: Tensor | None) -> Tensor:
        """Return one latent for each frame of `aligned`, given what `encode` made of its `sources`.

        `noise` (len(aligned), latent_channels, H', W') is given if latents are to be sampled.
        """


class Carry(Protocol):
    """What a stage keeps of a shot's earlier frames, for one tile. `encode` and `decode` change it in place."""

    def to(self, device: torch.device) -> object:
        """Move what is kept, in place."""

    def __bool__(self) -> bool:
        """Tell whether anything is kept."""


class Restorer(Protocol):
    """A loaded model. Clips are (T, 3, H, W) in 0..1, padded to `requirements`; latents (T', C, H', W').

    The methods run in inference mode on the device and dtype the parts are on.
    """

    architecture: str
    requirements: Requirements
    parts: Mapping[str, nn.Module]
    """Named modules, so that a runtime can load and offload them one by one."""
    stage_parts: Mapping[Stage, tuple[str, ...]]
    """Names of the parts that each stage computes with."""
    fusion: Fusion | None
    """None: the model needs no aligned neighbours."""
    with_decoder: Callable[[Mapping[str, Tensor], str], "Restorer"] | None
    """Return this model with a tiny decoder: the published tensors of a file of that name. None: it has none.

    Raises CheckpointError or SettingError if they do not decode its latents. The other parts are shared.
    """

    def new_carry(self, stage: Stage) -> Carry | None:
        """Return what `stage` starts a shot with; None if it looks at no earlier frames."""

    def encode(self, clip: Tensor, carry: Carry | None = None) -> Tensor:
        """Return the latent of `clip`: what `step` starts from, or `fusion.fuse` where there is fusion.

        `clip` goes on where the last call with this `carry` stopped; without one it is a whole shot.
        """

    def step(self, latent: Tensor, *, noise: Tensor | None = None, text: Tensor | None = None) -> Tensor:
        """Run the one diffusion step. Deterministic in its arguments.

        `noise` is shaped as `latent`. `text` is a text embedding (1, tokens, text_width); None = the model's own.
        """

    def decode(self, latent: Tensor, clip: Tensor, carry: Carry | None = None) -> Tensor:
        """Return the restored frames (T, 3, scale * H, scale * W) of `latent`; `clip` is its input.

        `latent` goes on where the last call with this `carry` stopped; without one it is a whole shot.
        """

    def memory_bytes(self, stage: Stage, frames: int, height: int, width: int, dtype: torch.dtype) -> int:
        """Estimate the peak working memory of a stage for a clip of this size, weights not included."""
