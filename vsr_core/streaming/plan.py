"""Cut a video into segments that can be restored alone, in any order and anywhere."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Literal, NamedTuple, get_args

from .context import Context

Policy = Literal["reprocess", "crossfade"]
POLICIES: tuple[Policy, ...] = get_args(Policy)
"""Restore frames after a segment along with it; or fade from a second run, which knows the past, into one that begins
at the segment (docs/streaming.md)."""


class Segment(NamedTuple):
    """Frames [start, stop) of a video, which are written, restored from frames [first, last), all of one shot.

    Frames are numbered in the whole file.
    """

    index: int
    start: int
    stop: int
    first: int
    last: int

    @property
    def frames(self) -> int:
        """Return how many frames are written."""
        return self.stop - self.start

    @property
    def lead(self) -> int:
        """Return how many frames before the written ones are restored."""
        return self.start - self.first


def plan_segments(
    shots: Sequence[int],
    context: Context,
    *,
    seconds: float,
    frame_rate: Fraction,
    first: int = 0,
    policy: Policy = "reprocess",
) -> list[Segment]:
    """Return the segments of a video whose shots, in frames, begin at frame number `first`.

    None is longer than `seconds`, except where that is shorter than one stride of the windows; those of a shot are
    about equally long.
    """
    most = max(1, int(seconds * frame_rate))
    segments: list[Segment] = []
    begin = first
    for frames in shots:
        end = begin + frames
        for start, stop in _pieces(begin, end, context, most):
            last = min(stop + context.tail, end) if policy == "reprocess" else stop
            segments.append(Segment(len(segments), start, stop, max(start - context.lead, begin), last))
        begin = end
    return segments


def _pieces(begin: int, end: int, context: Context, most: int) -> Iterator[tuple[int, int]]:
    """Yield the stretches that frames [begin, end), a shot, is cut into."""
    strides = 1 + -(-max(0, end - begin - context.offset) // context.stride)
    pieces = -(-strides // max(1, most // context.stride))
    places = [index * strides // pieces for index in range(pieces)]
    starts = [begin + (context.offset + (place - 1) * context.stride if place else 0) for place in places]
    yield from zip(starts, [*starts[1:], end])
