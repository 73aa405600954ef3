"""Give the restored frames the colours of the input."""

from .correct import MODES, correct

__all__ = ["MODES", "correct"]
