"""The progress bar of a run."""

import time

from torch import Tensor
from tqdm import tqdm

from ..contract import STAGES
from ..runtime import FrameCounter

READING = "scan"


class FrameBar:
    """One bar over a with block: while the input is read, then over all stages of every frame.

    It appears with the first report. Measures the block's seconds.
    """

    def __init__(self, total: int | None = None, *, title: str | None = None):
        """Take the number of frames, if it is known before the first report, and what stands before the bar."""
        self._total, self._title = total, title
        self._counter = FrameCounter(STAGES)
        self._bar: tqdm | None = None
        self._reading = False
        self.seconds = 0.0

    def update(self, stage: str, done: int, total: int | None, preview: Tensor | None = None) -> None:
        """Take a report of the runtime."""
        if self._bar is None:
            self._bar = tqdm(desc=self._title, total=self._total, unit="frame", dynamic_ncols=True)
        if stage == READING:
            self._reading = True
            self._show("reading", done, total)
            return
        if self._reading:
            self._begin(done)
        self._show(stage, self._counter.update(stage, done), total)

    def _begin(self, done: int) -> None:
        """Measure speed from here on; `done` frames were done by runs before."""
        self._reading = False
        self._counter.update(STAGES[-1], done)
        self._bar.reset()
        self._bar.initial = done

    def _show(self, stage: str, frames: float, total: int | None) -> None:
        self._bar.total = self._total if total is None else total
        self._bar.bar_format = None if self._bar.total is None else FORMAT
        self._bar.set_postfix_str(stage, refresh=False)
        self._bar.n = frames
        self._bar.refresh()

    def __enter__(self) -> "FrameBar":
        self._start = time.perf_counter()
        return self

    def __exit__(self, *_) -> None:
        self.seconds = time.perf_counter() - self._start
        if self._bar is not None:
            self._bar.close()


FORMAT = "{l_bar}{bar}| {n:.0f}/{total} frames [{elapsed}<{remaining}{postfix}]"
