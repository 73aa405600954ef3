"""Hyper-parameters of DUO-VSR."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite

from ...color import MODES

MOST_LAYERS = 64
LEVELS = 4
"""Levels of the VAE: three halvings of the size, two of the number of frames."""
SCALE = 4
"""Output pixels per input pixel, in both directions."""
FRAMES_PER_LATENT = 4
"""Frames per latent frame; the first latent frame of a video is its first frame alone."""
PIXELS_PER_LATENT = 8
"""Output pixels per latent cell, in both directions."""
TIMESTEPS = 1000
"""Time steps per unit of t."""


@dataclass(frozen=True, kw_only=True)
class DuoVSRConfig:
    """Wan2.1-T2V-1.3B's network by default: a stand-in backbone. The paper's readable parts do not name theirs.

    They state a DiT of 30 layers and 1.3 billion parameters and a VAE that compresses 8x8 pixels and 4 frames
    (supplementary, sections 8 and 10 and table 6), which Wan2.1-T2V-1.3B matches.
    """

    layers: int = 30
    """Transformer blocks."""
    heads: int = 12
    head_width: int = 128
    """Channels per attention head."""
    ffn_width: int = 8960
    """Channels inside the feed-forward layers."""
    time_width: int = 256
    """Sines and cosines that the time step is embedded with."""
    patch: int = 2
    """Latent cells per token, in both directions."""
    prompt_width: int = 4096
    """Channels of the text embedding."""
    prompt_tokens: int = 512
    """Tokens of the prompt that is stored with the weights; shorter texts are filled up with zeros."""
    vae_width: int = 96
    """Channels of the VAE at full size."""
    vae_factors: tuple[int, ...] = (1, 2, 4, 4)
    """Channels per VAE level, as multiples of `vae_width`; every level but the last halves the size."""
    vae_layers: int = 2
    """Residual blocks per VAE level in the encoder; one more in the decoder."""
    latent_channels: int = 16
    latent_mean: tuple[float, ...] = (
        -0.7571, -0.7089, -0.9113, 0.1075, -0.1745, 0.9653, -0.1517, 1.5508,
        0.4134, -0.0715, 0.5517, -0.3632, -0.1922, -0.9497, 0.2503, -0.2921,
    )  # fmt: skip
    """Mean of the VAE's latents, per channel: what is subtracted before the DiT sees them."""
    latent_std: tuple[float, ...] = (
        2.8184, 1.4541, 2.3275, 2.6558, 1.2196, 1.7708, 2.6052, 2.0743,
        3.2687, 2.1526, 2.8652, 1.5579, 1.6382, 1.1253, 2.8251, 1.9160,
    )  # fmt: skip
    """Standard deviation of the VAE's latents, per channel: what they are divided by after that."""
    bicubic_skip: bool = False
    """Differs from the paper: predict the difference to the bicubic x4 input. For models trained from scratch."""
    latent_skip: bool = False
    """Differs from the paper: the step changes the LR latent, not the noise. For models trained from scratch."""
    window: int = 21
    """Frames the DiT works on together by default: those the paper's run time is given for."""
    overlap: int = 8
    """Frames that neighbouring windows share by default; whole latent frames."""
    color: str = "adain"
    """Default colour correction. Differs from the paper, which does not say."""

    def __post_init__(self):
        """Raise ValueError for values that describe no network; they may come from a stranger's file."""
        for problem in (*self._size_problems(), *self._value_problems()):
            raise ValueError(problem)

    @property
    def width(self) -> int:
        """Return the channels of a token."""
        return self.heads * self.head_width

    @property
    def latent_stride(self) -> int:
        """Return the input pixels per latent cell."""
        return PIXELS_PER_LATENT // SCALE

    @property
    def multiple(self) -> int:
        """Return what an input's height and width must be a multiple of."""
        return self.latent_stride * self.patch

    def _size_problems(self) -> Iterator[str]:
        if not (1 <= self.layers <= MOST_LAYERS and 1 <= self.vae_layers <= MOST_LAYERS):
            yield f"layers and vae_layers need to be 1 to {MOST_LAYERS}"
        if min(self.heads, self.ffn_width, self.patch, self.prompt_width, self.prompt_tokens) < 1:
            yield "heads, ffn_width, patch, prompt_width and prompt_tokens need to be 1 or more"
        if self.head_width < 6 or self.head_width % 2:
            yield "head_width needs to be an even number of 6 or more: frames, rows and columns share its rotations"
        if self.time_width < 2 or self.time_width % 2:
            yield "time_width needs to be an even number, for the sines and cosines of the time step"
        if len(self.vae_factors) != LEVELS or min(self.vae_factors) < 1:
            yield f"vae_factors needs {LEVELS} numbers of 1 or more"
        if self.vae_width < 1:
            yield "vae_width needs to be 1 or more"
        if any(self.vae_width * factor % 2 for factor in self.vae_factors[1:]):
            yield "vae_width times each of vae_factors needs to be even: enlarging halves the channels"

    def _value_problems(self) -> Iterator[str]:
        if not 1 <= self.latent_channels == len(self.latent_mean) == len(self.latent_std):
            yield "latent_mean and latent_std need latent_channels numbers each, and at least one"
        if not all(isfinite(value) for value in self.latent_mean):
            yield "latent_mean needs to be finite"
        if not all(isfinite(value) and value > 0 for value in self.latent_std):
            yield "latent_std needs to be above 0"
        if self.window < 1 or self.window % FRAMES_PER_LATENT != 1:
            yield f"window needs to be a multiple of {FRAMES_PER_LATENT} and 1 more: whole latent frames"
        if not 0 <= self.overlap < self.window or self.overlap % FRAMES_PER_LATENT:
            yield f"overlap needs to be a multiple of {FRAMES_PER_LATENT} below window: whole latent frames"
        if self.color not in MODES:
            yield f"color needs to be one of {', '.join(MODES)}"


PAPER = DuoVSRConfig()
"""The size that the paper states, in Wan2.1-T2V-1.3B's layout: a stand-in, which the paper does not name."""

SMALL = DuoVSRConfig(
    layers=3,
    heads=4,
    head_width=32,
    ffn_width=256,
    time_width=32,
    prompt_width=8,
    prompt_tokens=1,
    vae_width=16,
    vae_layers=1,
    latent_channels=48,  # as many as four small frames have numbers per cell
    latent_mean=(0.0,) * 48,
    latent_std=(1.0,) * 48,
    bicubic_skip=True,
    latent_skip=True,
    window=9,
    overlap=4,
    color="none",
)
"""A size that can be trained and used on a CPU. Its latents are its own, not Wan2.1's."""

TINY = DuoVSRConfig(
    layers=2,
    heads=2,
    head_width=12,
    ffn_width=32,
    time_width=8,
    prompt_width=6,
    prompt_tokens=3,
    vae_width=4,
    vae_layers=1,
    latent_channels=4,
    latent_mean=(0.1, -0.2, 0.3, 0.0),
    latent_std=(1.5, 0.5, 1.0, 2.0),
    window=9,
    overlap=4,
)
"""For tests: every kind of block at least once, a few hundred thousand parameters."""
