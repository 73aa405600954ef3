"""Cut a clip into windows and frames into tiles, and put the results together without seams."""

from .settings import Tiling

__all__ = ["Tiling"]
