"""Find hard scene cuts."""

from collections import deque
from collections.abc import Iterable, Iterator

import torch.nn.functional as F
from torch import Tensor

THUMBNAIL = (18, 32)
LEAST_CHANGE = 0.08
"""Mean absolute change of a thumbnail below which nothing is a cut."""
TIMES_USUAL = 3.0
"""How many times the largest of the changes around it a cut's change is."""
REMEMBERED = 4


def mark_cuts(frames: Iterable[Tensor]) -> Iterator[tuple[Tensor, bool]]:
    """Yield each frame (3, H, W) in 0..1 with whether a new shot starts there. The first frame starts one.

    A cut is a change of small thumbnails that is large, and far larger than the last few changes of the shot and
    than the one after it; so motion, however fast, is none, and neither is a flash of one frame. Reads one frame
    ahead.
    """
    usual: deque[float] = deque(maxlen=REMEMBERED)
    changes = _changes(frames)
    current = next(changes, None)
    first = True
    while current is not None:
        following = next(changes, None)
        frame, change = current
        around = [*usual, following[1]] if following else usual
        cut = change > LEAST_CHANGE and change > TIMES_USUAL * max(around, default=0.0)
        yield frame, first or cut
        if cut:
            usual.clear()
        elif not first:
            usual.append(change)
        current, first = following, False


def shot_lengths(clip: Tensor, scene_cuts: bool) -> list[int]:
    """Return the frames of each shot of a clip (T, 3, H, W), in order; all in one if `scene_cuts` is off."""
    if not scene_cuts:
        return [len(clip)]
    starts = [index for index, (_, start) in enumerate(mark_cuts(clip)) if start]
    return [stop - start for start, stop in zip(starts, [*starts[1:], len(clip)])]


def _changes(frames: Iterable[Tensor]) -> Iterator[tuple[Tensor, float]]:
    """Yield each frame with the mean absolute change of its thumbnail, 0 for the first."""
    before = None
    for frame in frames:
        thumbnail = F.adaptive_avg_pool2d(frame.float(), THUMBNAIL)
        yield frame, 0.0 if before is None else (thumbnail - before).abs().mean().item()
        before = thumbnail
