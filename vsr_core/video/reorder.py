"""Time stamps of packets that are stored in the order they are decoded in, not shown in."""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from .time_base import increasing_stamps


class Stamps(NamedTuple):
    """Of one packet, in ticks."""

    shown: int
    decoded: int
    duration: int


def packet_stamps(times: Sequence[Fraction], tick: Fraction, period: Fraction) -> list[Stamps]:
    """Return the stamps of packets, given in the order of decoding when each is shown, all different.

    Times of decoding increase and are never after those of showing: they are the times of showing, in order, delayed
    by as many packets as any packet is stored too early. The last frame is shown for `period` seconds.
    """
    order = sorted(range(len(times)), key=times.__getitem__)
    shown = increasing_stamps((times[index] for index in order), tick)
    step = max(1, round(period / tick))
    rank = {index: place for place, index in enumerate(order)}
    delay = max(index - place for index, place in rank.items())
    early = [shown[0] - (delay - index) * step for index in range(delay)]
    ends = [*shown[1:], shown[-1] + step]
    return [
        Stamps(shown[rank[index]], decoded, ends[rank[index]] - shown[rank[index]])
        for index, decoded in zip(range(len(times)), [*early, *shown])
    ]
