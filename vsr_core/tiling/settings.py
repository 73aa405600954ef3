"""How the user wants a clip cut up."""

from dataclasses import dataclass, fields

from ..errors import SettingError


@dataclass(frozen=True, kw_only=True)
class Tiling:
    """None = automatic. Frames for window and overlap, input pixels for tiles."""

    window: int | None = None
    """Frames the network sees at once."""
    overlap: int | None = None
    """Frames two windows share and cross-fade over."""
    tile: int | None = None
    """Height and width of a tile; a frame that is smaller is not cut."""
    tile_overlap: int | None = None
    """Pixels two tiles share and cross-fade over."""
    scene_cuts: bool = True
    """Start a new window at every scene cut, so that nothing mixes across it."""
    memory: int | None = None
    """Bytes that the choice of tiles may count on; None = what is free at that moment. With a fixed number the same
    clip is cut into the same tiles everywhere."""

    def __post_init__(self):
        for field in fields(self):
            value = getattr(self, field.name)
            least = 0 if "overlap" in field.name else 1
            if field.name != "scene_cuts" and value is not None and value < least:
                raise SettingError(f"Tiling {field.name} is {value}; use {least} or more, or leave it automatic.")
        self._check_pair("window", "overlap")
        self._check_pair("tile", "tile_overlap")

    def _check_pair(self, size: str, overlap: str) -> None:
        whole, shared = getattr(self, size), getattr(self, overlap)
        if whole is not None and shared is not None and shared >= whole:
            raise SettingError(f"Tiling {overlap} is {shared}; it must be smaller than {size}, which is {whole}.")
