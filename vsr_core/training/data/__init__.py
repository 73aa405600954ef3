"""Training data: pairs of low- and high-resolution clips from files, or drawn by the computer."""

from .clips import ClipDataset
from .prepare import PrepareSettings, Source, listed_sources, prepare, sources_in
from .synthetic import SyntheticClips

__all__ = ["ClipDataset", "PrepareSettings", "Source", "SyntheticClips", "listed_sources", "prepare", "sources_in"]
