"""AdcVSR: a pruned SD2.1 UNet with 1D temporal convolutions and a pruned VAE decoder, one step, no text."""

from .config import PAPER, SMALL, TINY
from .config import AdcVSRConfig as Config
from .convert import ARGUMENTS, convert
from .detect import detect
from .restorer import build
from .sources import SOURCES

TITLE = "AdcVSR"

__all__ = ["ARGUMENTS", "PAPER", "SMALL", "SOURCES", "TINY", "TITLE", "Config", "build", "convert", "detect"]
