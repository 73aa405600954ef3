"""Hyper-parameters of AdcVSR."""

from dataclasses import dataclass


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

    @property
    def scale(self) -> int:
        """Return the output pixels per input pixel: 2 per decoder level but the last, less the unshuffle."""
        return 2 ** (len(self.decoder_channels) - 1) // self.unshuffle

    @property
    def multiple(self) -> int:
        """Return what an input's height and width must be a multiple of."""
        return self.unshuffle * 2 ** (len(self.channels) - 1)


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
"""The built-in model: 5.6 M parameters, trainable and usable on a CPU."""

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
