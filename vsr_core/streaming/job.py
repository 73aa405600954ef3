"""What is to be done: everything that decides what the result is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from ..errors import SettingError
from ..restore import Settings
from ..video import CODECS, Quality, VideoInfo
from ..video.timing import check_range
from .plan import POLICIES, Policy
from .size import OutputSize, TargetSize

OnError = Literal["stop", "finish"]
ON_ERROR: tuple[OnError, ...] = get_args(OnError)


@dataclass(frozen=True, kw_only=True)
class Job:
    """One video (or folder of images) to restore into another."""

    source: Path
    target: Path
    settings: Settings = field(default_factory=Settings)
    size: TargetSize = field(default_factory=TargetSize)
    quality: Quality = field(default_factory=Quality)
    segment_seconds: float = 10.0
    """Longest stretch that is restored, encoded and, after a crash, lost at once."""
    policy: Policy = "reprocess"
    """How a segment is joined to the one before it, one of POLICIES."""
    frames: tuple[int, int | None] = (0, None)
    """First frame and the one after the last; None = to the end."""
    on_error: OnError = "stop"
    """Whether to stop at damage in the input, or to finish what can be read before it."""
    audio: bool = True
    """Carry the sound over."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """To write into a file beside those of the input, in place of those of the same names. They are no part of what
    unfinished work is for: it goes on with others."""

    def __post_init__(self):
        """Raise SettingError for settings that make no sense."""
        if not self.segment_seconds > 0:
            raise SettingError(f"Segments of {self.segment_seconds} seconds; use a number above 0, such as 10.")
        if self.policy not in POLICIES:
            raise SettingError(f"Unknown way to join segments {self.policy!r}; choose {' or '.join(POLICIES)}.")
        if self.on_error not in ON_ERROR:
            raise SettingError(f"Unknown way to meet damage {self.on_error!r}; choose {' or '.join(ON_ERROR)}.")
        check_range(*self.frames)

    @property
    def trimmed(self) -> bool:
        """Return whether only a part of the frames is wanted."""
        return self.frames != (0, None)

    def quality_for(self, source: VideoInfo) -> Quality:
        """Return how the frames of `source` are encoded, with nothing left to choose. Raises VideoError."""
        return self.quality.resolved(self.target, source)

    def output_for(self, source: VideoInfo, scale: int) -> OutputSize:
        """Return the size that a model which enlarges `scale` times gives to the frames of `source`."""
        return self.size.output(source, scale, multiple=CODECS[self.quality_for(source).codec].multiple)
