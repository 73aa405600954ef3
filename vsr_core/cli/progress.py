"""The progress bar of a run."""

import time

from torch import Tensor
from tqdm import tqdm


class FrameBar:
    """One bar over both passes of every frame, shown inside a with block; measures the block's seconds."""

    def __init__(self, total: int | None):
        self._total = total
        self._done = {"step": 0, "decode": 0}
        self.seconds = 0.0

    def update(self, stage: str, done: int, total: int | None, preview: Tensor | None = None) -> None:
        """Take a report of the runtime."""
        self._done[stage] = done
        self._bar.set_postfix_str(stage, refresh=False)
        self._bar.n = sum(self._done.values()) / len(self._done)
        self._bar.refresh()

    def __enter__(self) -> "FrameBar":
        shape = None if self._total is None else FORMAT
        self._bar = tqdm(total=self._total, unit="frame", dynamic_ncols=True, bar_format=shape)
        self._start = time.perf_counter()
        return self

    def __exit__(self, *_) -> None:
        self.seconds = time.perf_counter() - self._start
        self._bar.close()


FORMAT = "{l_bar}{bar}| {n:.0f}/{total} frames [{elapsed}<{remaining}{postfix}]"
