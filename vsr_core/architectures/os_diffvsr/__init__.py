"""OS-DiffVSR: Stable Diffusion 2.1 in one step, on latents joined with those of their warped neighbours."""

from .config import PAPER, SMALL, TINY
from .config import OSDiffVSRConfig as Config
from .convert import ARGUMENTS, convert
from .detect import detect
from .restorer import build
from .sources import SOURCES

TITLE = "OS-DiffVSR"

__all__ = ["ARGUMENTS", "PAPER", "SMALL", "SOURCES", "TINY", "TITLE", "Config", "build", "convert", "detect"]
