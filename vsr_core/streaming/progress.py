"""Progress of a whole video, told by the run of one segment."""

from typing import Any

from torch import Tensor

from ..runtime import Runtime
from .plan import Segment


class SegmentProgress:
    """A runtime like the one it is given, that reports frames of the whole video; those of a join come twice."""

    def __init__(self, runtime: Runtime, segment: Segment, before: int, total: int):
        """Count from `before`, the frames that were done before `segment`, to `total`."""
        self._runtime, self._segment, self._before, self._total = runtime, segment, before, total
        self._lead = segment.lead

    def of_run(self, first: int) -> "SegmentProgress":
        """Return the same for a run that begins with frame number `first`."""
        run = SegmentProgress(self._runtime, self._segment, self._before, self._total)
        run._lead = self._segment.start - first
        return run

    def __getattr__(self, name: str) -> Any:
        return getattr(self._runtime, name)

    def progress(self, stage: str, done: int, total: int | None, preview: Tensor | None = None) -> None:
        written = min(max(0, done - self._lead), self._segment.frames)
        self._runtime.progress(stage, self._before + written, self._total, preview)
