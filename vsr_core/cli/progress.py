"""The progress bar of a run."""

import time

from torch import Tensor
from tqdm import tqdm


class FrameBar:
    """One bar over both passes of every frame; measures the run's seconds."""

    def __init__(self, total: int | None):
        self._bar = tqdm(total=total, unit="frame", dynamic_ncols=True, bar_format=None if total is None else FORMAT)
        self._done = {"step": 0, "decode": 0}
        self._start = time.perf_counter()
        self.seconds = 0.0

    def update(self, stage: str, done: int, total: int | None, preview: Tensor | None = None) -> None:
        """Take a report of the runtime."""
        self._done[stage] = done
        self._bar.set_postfix_str(stage, refresh=False)
        self._bar.n = sum(self._done.values()) / len(self._done)
        self._bar.refresh()

    def __enter__(self) -> "FrameBar":
        return self

    def __exit__(self, *_) -> None:
        self.seconds = time.perf_counter() - self._start
        self._bar.close()


FORMAT = "{l_bar}{bar}| {n:.0f}/{total} frames [{elapsed}<{remaining}{postfix}]"
