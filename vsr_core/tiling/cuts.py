"""Find hard scene cuts."""

from collections import deque
from collections.abc import Iterable, Iterator

import torch.nn.functional as F
from torch import Tensor

THUMBNAIL = (18, 32)
LEAST_CHANGE = 0.08
"""Mean absolute change of a thumbnail below which nothing is a cut."""
TIMES_USUAL = 3.0
"""How many times the largest of the last few changes a cut's change is."""
REMEMBERED = 4


def mark_cuts(frames: Iterable[Tensor]) -> Iterator[tuple[Tensor, bool]]:
    """Yield each frame (3, H, W) in 0..1 with whether a new shot starts there. The first frame starts one.

    A cut is a change of small thumbnails that is large and far larger than the changes just before, so that fast
    motion, which stays large, is none.
    """
    usual: deque[float] = deque(maxlen=REMEMBERED)
    before = None
    for frame in frames:
        thumbnail = F.adaptive_avg_pool2d(frame.float(), THUMBNAIL)
        change = 0.0 if before is None else (thumbnail - before).abs().mean().item()
        cut = change > LEAST_CHANGE and change > TIMES_USUAL * max(usual, default=0.0)
        yield frame, before is None or cut
        if cut:
            usual.clear()
        elif before is not None:
            usual.append(change)
        before = thumbnail


def split_shots(clip: Tensor, scene_cuts: bool) -> list[Tensor]:
    """Return the shots of a clip (T, 3, H, W) in order; the whole clip if `scene_cuts` is off."""
    if not scene_cuts:
        return [clip]
    starts = [index for index, (_, start) in enumerate(mark_cuts(clip)) if start]
    return [clip[start:stop] for start, stop in zip(starts, [*starts[1:], len(clip)])]
