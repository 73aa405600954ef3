"""Hyper-parameters of AdcVSR."""

from collections.abc import Iterator
from dataclasses import dataclass

from ...color import MODES

MOST_LEVELS = 8
MOST_LAYERS = 16


@dataclass(frozen=True, kw_only=True)
class AdcVSRConfig:
    """The paper's values by default (section 4.1 and the public AdcSR network it augments)."""

    unshuffle: int = 2
    """PixelUnshuffle factor in front of the UNet."""
    channels: tuple[int, ...] = (240, 480, 960, 960)
    """UNet channels per level: 75 % of SD2.1's."""
    layers: int = 2
    """Residual blocks per level on the way down; one more on the way up."""
    heads: tuple[int, ...] = (5, 10, 20, 0)
    """Attention heads per level; 0 = a level without transformer blocks."""
    middle_heads: int = 20
    temporal: bool = True
    """1D temporal residual blocks after every UNet block. False is the image model AdcSR."""
    feature_channels: int = 256
    """Channels of the feature f between UNet and decoder (50 % of SD2.1's)."""
    feature_attention: bool = True
    decoder_channels: tuple[int, ...] = (256, 256, 128, 64)
    decoder_layers: int = 3
    bicubic_skip: bool = False
    """Differs from the paper: predict the difference to the bicubic x4 input. For models trained from scratch."""
    window: int = 25
    """Frames per clip (section 4.1)."""
    color: str = "adain"
    """Default colour correction; AdcSR matches every frame's statistics to the input's."""

    def __post_init__(self):
        """Raise ValueError for values that describe no network; they may come from a stranger's file."""
        for problem in self._problems():
            raise ValueError(problem)

    @property
    def scale(self) -> int:
        """Return the output pixels per input pixel: 2 per decoder level but the last, less the unshuffle."""
        return 2 ** (len(self.decoder_channels) - 1) // self.unshuffle

    @property
    def multiple(self) -> int:
        """Return what an input's height and width must be a multiple of."""
        return self.unshuffle * 2 ** (len(self.channels) - 1)

    def _problems(self) -> Iterator[str]:
        if not 1 <= len(self.channels) == len(self.heads) <= MOST_LEVELS:
            yield f"channels and heads need equally many levels, 1 to {MOST_LEVELS}"
        if not 2 <= len(self.decoder_channels) <= MOST_LEVELS:
            yield f"decoder_channels needs 2 to {MOST_LEVELS} levels"
        if min(*self.channels, *self.decoder_channels, self.feature_channels) < 1:
            yield "channels, decoder_channels and feature_channels need to be 1 or more"
        for channels, heads in (*zip(self.channels, self.heads), (self.channels[-1], self.middle_heads)):
            if heads and channels % heads:
                yield f"heads and middle_heads need to divide the channels: {channels} is no multiple of {heads}"
        if not (1 <= self.layers <= MOST_LAYERS and 1 <= self.decoder_layers <= MOST_LAYERS):
            yield f"layers and decoder_layers need to be 1 to {MOST_LAYERS}"
        if self.unshuffle < 1 or 2 ** (len(self.decoder_channels) - 1) % self.unshuffle:
            yield "unshuffle needs to divide what the decoder enlarges by"
        if self.window < 1:
            yield "window needs to be 1 or more"
        if self.color not in MODES:
            yield f"color needs to be one of {', '.join(MODES)}"


PAPER = AdcVSRConfig()

SMALL = AdcVSRConfig(
    channels=(64, 80, 80),
    heads=(0, 2, 2),
    middle_heads=2,
    feature_channels=64,
    feature_attention=False,
    decoder_channels=(64, 64, 32, 16),
    decoder_layers=1,
    bicubic_skip=True,
    window=15,
    color="none",  # the skip carries the input's colours; matching its lower contrast would cost 0.07 dB
)
"""The built-in model: 5.3 M parameters, trainable and usable on a CPU."""

TINY = AdcVSRConfig(
    channels=(8, 16),
    layers=1,
    heads=(2, 0),
    middle_heads=2,
    feature_channels=16,
    decoder_channels=(16, 8, 8, 8),
    decoder_layers=1,
    window=5,
)
"""For tests: every kind of block once, a few thousand parameters."""
