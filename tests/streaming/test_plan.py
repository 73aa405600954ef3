"""Videos are cut into segments that can be restored alone."""

from fractions import Fraction

import pytest
from restorers import Causal, NeighbourMean, Pointwise

from vsr_core.restore import Settings
from vsr_core.streaming.context import Context, context
from vsr_core.streaming.plan import plan_segments
from vsr_core.tiling import Tiling


def settings(window=None, overlap=None, color="none") -> Settings:
    return Settings(tiling=Tiling(window=window, overlap=overlap), color=color)


class TestContext:
    @pytest.mark.parametrize(
        ("make", "window", "overlap", "expected"),
        [
            (Pointwise, 25, 5, Context(lead=20, tail=5, stride=20, offset=20)),
            (Pointwise, 5, 0, Context(lead=0, tail=0, stride=5, offset=5)),
            (Pointwise, 5, 3, Context(lead=4, tail=3, stride=2, offset=2)),
            (Pointwise, 1, 0, Context(lead=0, tail=0, stride=1, offset=1)),
            (Causal, 21, 8, Context(lead=29, tail=8, stride=16, offset=13)),
            (Causal, 9, 0, Context(lead=9, tail=0, stride=12, offset=9)),
            (NeighbourMean, 7, 2, Context(lead=2, tail=2, stride=1, offset=1)),
        ],
    )
    def test_it_reaches_back_to_the_first_window_with_a_frame_of_the_segment(self, make, window, overlap, expected):
        assert context(make(), settings(window, overlap)) == expected

    @pytest.mark.parametrize("make", [Pointwise, NeighbourMean])
    def test_a_colour_correction_that_remembers_needs_more(self, make):
        before, after = (context(make(), settings(5, 2, color)) for color in ("wavelet", "lab"))
        assert before.lead < 16 <= after.lead
        assert (after.lead - before.lead) % after.stride == 0


AROUND = Context(lead=4, tail=1, stride=4, offset=4)


def planned(*shots, seconds=1.0, first=0, around=AROUND, **others):
    return plan_segments(shots, around, seconds=seconds, frame_rate=Fraction(10), first=first, **others)


class TestPlan:
    @pytest.mark.parametrize("shots", [(1,), (9,), (10,), (11,), (100,), (1, 1, 30, 2, 17)])
    @pytest.mark.parametrize("seconds", [0.01, 0.4, 1.0, 2.5, 100])
    @pytest.mark.parametrize("around", [AROUND, Context(2, 2, 1, 1), Context(29, 8, 16, 13)])
    def test_every_frame_is_in_one_segment_and_no_segment_in_two_shots(self, shots, seconds, around):
        segments = planned(*shots, seconds=seconds, first=5, around=around)
        assert [number for s in segments for number in range(s.start, s.stop)] == list(range(5, 5 + sum(shots)))
        assert [segment.index for segment in segments] == list(range(len(segments)))
        begins = [5 + sum(shots[:index]) for index in range(len(shots) + 1)]
        for segment in segments:
            begin = max(begin for begin in begins if begin <= segment.start)
            end = min(end for end in begins if end > segment.start)
            assert begin <= segment.first <= segment.start < segment.stop <= segment.last <= end
            assert segment.start - segment.first == min(around.lead, segment.start - begin)
            assert segment.last - segment.stop == min(around.tail, end - segment.stop)
            assert segment.start == begin or (segment.start - begin - around.offset) % around.stride == 0
            assert segment.frames <= max(10 * seconds, around.stride)

    def test_segments_of_a_shot_are_about_equally_long(self):
        assert [segment.frames for segment in planned(101, seconds=4)] == [32, 36, 33]

    def test_a_segment_that_fades_in_needs_nothing_behind_it(self):
        assert all(segment.last == segment.stop for segment in planned(41, 7, policy="crossfade"))
