"""Training data: pairs of low- and high-resolution clips from files, or drawn by the computer."""

from .clips import ClipDataset
from .pairs import pairs
from .plan import read_plan
from .prepare import PrepareSettings, Source, prepare, sources_in
from .synthetic import SyntheticClips

__all__ = ["ClipDataset", "PrepareSettings", "Source", "SyntheticClips", "pairs", "prepare", "read_plan", "sources_in"]
