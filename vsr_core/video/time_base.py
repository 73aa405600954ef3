"""Units of time stamps: fine enough for every time of a source, coarse enough for every container."""

import math
from collections.abc import Iterable
from fractions import Fraction

FINEST_TICK = 90_000
"""Time stamps are at least this fine, in ticks per second (Matroska itself keeps milliseconds)."""
LARGEST_TIMESCALE = 10_000_000
"""Ticks per second from which on one frame shown for minutes no longer fits into the 32 bits .mp4 gives it."""


def fine_time_base(tick: Fraction, frame_rate: Fraction) -> Fraction:
    """Return a unit of at most 1/90000 s that divides `tick` and the frame period, where one is possible."""
    for common in (math.lcm(tick.denominator, frame_rate.numerator), tick.denominator):
        timescale = common * -(-FINEST_TICK // common)
        if timescale <= LARGEST_TIMESCALE:
            return Fraction(1, timescale)
    return Fraction(1, FINEST_TICK)


def increasing_stamps(times: Iterable[Fraction], tick: Fraction) -> list[int]:
    """Return increasing `times` (seconds) in units of `tick`, at least one apart."""
    stamps: list[int] = []
    for time in times:
        stamp = round(time / tick)
        stamps.append(max(stamp, stamps[-1] + 1) if stamps else stamp)
    return stamps
