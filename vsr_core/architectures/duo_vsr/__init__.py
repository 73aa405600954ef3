"""DUO-VSR: a video DiT in one step from noise, on the latents of a causal video autoencoder."""

from .config import PAPER, SMALL, TINY
from .config import DuoVSRConfig as Config
from .convert import ARGUMENTS, convert
from .detect import detect
from .restorer import build
from .sources import SOURCES

TITLE = "DUO-VSR"

__all__ = ["ARGUMENTS", "PAPER", "SMALL", "SOURCES", "TINY", "TITLE", "Config", "build", "convert", "detect"]
