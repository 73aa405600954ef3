"""How many frames around a segment its restoration looks at, and where a segment may begin."""

import math
from typing import NamedTuple

from ..color.statistics import SMOOTHING
from ..contract import Restorer
from ..restore import NEIGHBOURS, Settings
from ..tiling.plan import plan_windows

FORGOTTEN = 1 / 32
"""Share of an earlier frame in a smoothed colour correction that no longer matters."""
SMOOTHED = ("adain", "lab")
"""Colour corrections that depend on earlier frames."""


class Context(NamedTuple):
    """Frames. With `lead` and `tail` restored along and dropped, a segment is what a run over its whole shot gives.

    Where one latent frame stands for several frames, it is close to it: a causal autoencoder forgets, but not fully.
    """

    lead: int
    """Before a segment."""
    tail: int
    """After a segment."""
    stride: int
    """From one place where a segment may begin to the next."""
    offset: int
    """From the start of a shot to the first such place inside it."""


def context(restorer: Restorer, settings: Settings) -> Context:
    """Return what `restorer` needs with these settings; raise SettingError if window and overlap do not fit.

    Segments begin where windows of the whole shot begin, and are restored from so far back that every window which
    has a frame of the segment is the window of the whole shot.
    """
    memory = _color_memory(settings.color or restorer.requirements.color)
    window, overlap = plan_windows(restorer, settings.tiling)
    if restorer.fusion is not None:
        return Context(max(NEIGHBOURS, memory), NEIGHBOURS, 1, 1)
    group = restorer.requirements.frames_per_latent
    later = window + group - 1
    stride, offset = later - overlap, window - overlap
    lead = (later - 1) // stride * stride + (offset if group > 1 else 0)
    lead += -(-max(0, memory - lead) // stride) * stride
    return Context(lead, overlap, stride, offset)


def _color_memory(mode: str) -> int:
    """Return the frames after which a smoothed correction no longer shows what was before."""
    return math.ceil(math.log(FORGOTTEN, SMOOTHING)) if mode in SMOOTHED else 0
