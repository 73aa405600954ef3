"""Make realistic low-resolution clips out of high-resolution ones."""

from .config import CLEAN, LIGHT, MIXED, PAPER, REAL_ESRGAN, DegradationConfig
from .pipeline import degrade

__all__ = ["CLEAN", "LIGHT", "MIXED", "PAPER", "REAL_ESRGAN", "DegradationConfig", "degrade"]
