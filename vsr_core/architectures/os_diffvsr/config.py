"""Hyper-parameters of OS-DiffVSR."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite

from ...color import MODES
from ...schedulers.scaled_linear import STEPS

MOST_LEVELS = 8
MOST_LAYERS = 16
ALIGNMENTS = ("pixels", "latents")
SCALE = 4
"""Output pixels per input pixel, in both directions."""


@dataclass(frozen=True, kw_only=True)
class OSDiffVSRConfig:
    """The paper's values by default: Stable Diffusion 2.1's network, and section 3.3 for the fusion."""

    channels: tuple[int, ...] = (320, 640, 1280, 1280)
    """UNet channels per level."""
    layers: int = 2
    """Residual blocks per UNet level on the way down; one more on the way up."""
    heads: tuple[int, ...] = (5, 10, 20, 0)
    """Attention heads per UNet level; 0 = a level without transformer blocks."""
    middle_heads: int = 20
    """Attention heads of the middle block; the last level's own if that has any. 0 = a middle without attention."""
    prompt_width: int = 1024
    """Channels of the text embedding."""
    prompt_tokens: int = 77
    """Tokens of the prompt that is stored with the weights."""
    vae_channels: tuple[int, ...] = (128, 256, 512, 512)
    """Autoencoder channels per level; every level but the last halves the size."""
    vae_layers: int = 2
    """Residual blocks per autoencoder level in the encoder; one more in the decoder."""
    vae_attention: bool = True
    """Self-attention in the middle of the autoencoder's two halves."""
    norm_groups: int = 32
    latent_channels: int = 4
    """With any other number than 4 the latent is not Stable Diffusion's, and no other VAE can decode it."""
    latent_scale: float = 0.18215
    """Factor between the autoencoder's latents and those the UNet works on."""
    fusion_heads: int = 4
    """Differs from the paper, which does not say."""
    fusion_width: int = 4
    """Channels of a query and a key per head, d_k."""
    alpha: float = 2.0
    """How fast confidence falls with the warping error (equation 14). Differs from the paper, which does not say."""
    mu: float = 0.4
    """Confidence below which a frame keeps its own latent (section 4.1)."""
    timestep: int = 999
    """The time step of the one step (equation 2)."""
    bicubic_skip: bool = False
    """Differs from the paper: predict the difference to the bicubic x4 input. For models trained from scratch."""
    alignment: str = "pixels"
    """What is warped by default, one of `ALIGNMENTS`; the paper warps pixels."""
    window: int = 16
    """Frames worked on together by default; changes nothing but the memory."""
    color: str = "adain"
    """Default colour correction, as OSEDiff's."""

    def __post_init__(self):
        """Raise ValueError for values that describe no network; they may come from a stranger's file."""
        for problem in (*self._size_problems(), *self._value_problems()):
            raise ValueError(problem)

    @property
    def latent_stride(self) -> int:
        """Return the input pixels per latent cell."""
        return 2 ** (len(self.vae_channels) - 1) // SCALE

    @property
    def multiple(self) -> int:
        """Return what an input's height and width must be a multiple of."""
        return self.latent_stride * 2 ** (len(self.channels) - 1)

    def _size_problems(self) -> Iterator[str]:
        if not 1 <= len(self.channels) == len(self.heads) <= MOST_LEVELS:
            yield f"channels and heads need equally many levels, 1 to {MOST_LEVELS}"
        if not 3 <= len(self.vae_channels) <= MOST_LEVELS:
            yield f"vae_channels needs 3 to {MOST_LEVELS} levels"
        if min(self.prompt_width, self.prompt_tokens, self.latent_channels, self.fusion_heads, self.fusion_width) < 1:
            yield "prompt_width, prompt_tokens, latent_channels, fusion_heads and fusion_width need to be 1 or more"
        if not (1 <= self.layers <= MOST_LAYERS and 1 <= self.vae_layers <= MOST_LAYERS):
            yield f"layers and vae_layers need to be 1 to {MOST_LAYERS}"
        widths = (*self.channels, *self.vae_channels)
        if self.norm_groups < 1 or any(width < 1 or width % self.norm_groups for width in widths):
            yield "channels and vae_channels need to be multiples of norm_groups"
        if self.channels[0] % 2:
            yield "channels need to begin with an even number, for the sines and cosines of the time step"
        for channels, heads in (*zip(self.channels, self.heads), (self.channels[-1], self.middle_heads)):
            if heads and channels % heads:
                yield f"heads and middle_heads need to divide the channels: {channels} is no multiple of {heads}"
        if self.heads[-1] not in (0, self.middle_heads):
            yield "middle_heads needs to be the last of heads, unless that is 0"

    def _value_problems(self) -> Iterator[str]:
        if not (isfinite(self.latent_scale) and self.latent_scale > 0):
            yield "latent_scale needs to be above 0"
        if not (isfinite(self.alpha) and self.alpha > 0):
            yield "alpha needs to be above 0"
        if not 0 <= self.mu <= 1:
            yield "mu needs to be 0 to 1"
        if not 0 <= self.timestep < STEPS:
            yield f"timestep needs to be 0 to {STEPS - 1}"
        if self.alignment not in ALIGNMENTS:
            yield f"alignment needs to be one of {', '.join(ALIGNMENTS)}"
        if self.window < 1:
            yield "window needs to be 1 or more"
        if self.color not in MODES:
            yield f"color needs to be one of {', '.join(MODES)}"


PAPER = OSDiffVSRConfig()

SMALL = OSDiffVSRConfig(
    channels=(64, 96, 96),
    layers=1,
    heads=(0, 2, 2),
    middle_heads=2,
    prompt_width=8,
    prompt_tokens=1,
    vae_channels=(16, 16, 32, 64),
    vae_layers=1,
    vae_attention=False,
    norm_groups=1,  # trains a quarter faster than 4 on a CPU
    latent_channels=32,
    latent_scale=1.0,
    fusion_heads=4,
    fusion_width=8,
    timestep=500,  # at 999 equation 2 multiplies by 15, which a network trained from scratch has to unlearn first
    bicubic_skip=True,
    alignment="latents",
    color="none",
)
"""The built-in model, trainable and usable on a CPU. Its latents are its own, not Stable Diffusion's."""

TINY = OSDiffVSRConfig(
    channels=(8, 16),
    layers=1,
    heads=(2, 0),
    middle_heads=2,
    prompt_width=6,
    prompt_tokens=3,
    vae_channels=(8, 8, 8, 16),
    vae_layers=1,
    norm_groups=4,
    window=4,
)
"""For tests: every kind of block once, a few ten thousand parameters."""
