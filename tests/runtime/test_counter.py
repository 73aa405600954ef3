"""One number for frames that go through several stages."""

import pytest

from vsr_core.contract import STAGES
from vsr_core.runtime import FrameCounter


def test_a_frame_counts_in_part_until_it_is_through_all_stages():
    counter = FrameCounter(STAGES)
    assert [counter.update(stage, 9) for stage in STAGES] == [3, 6, 9]


def test_a_frame_that_is_through_a_late_stage_is_through_the_earlier_ones():
    assert FrameCounter(["scan", *STAGES]).update("decode", 5) == 5


def test_reading_a_whole_video_fills_little_of_the_bar():
    assert 0 < FrameCounter(["scan", *STAGES]).update("scan", 100) < 5


@pytest.mark.parametrize("stage", STAGES)
def test_what_is_computed_a_second_time_takes_nothing_away(stage):
    counter = FrameCounter(STAGES)
    before = counter.update(stage, 7)
    assert counter.update(stage, 2) == before
    assert counter.update(stage, 8) > before


def test_it_knows_which_stages_count():
    assert "scan" in FrameCounter(["scan"])
    assert "align" not in FrameCounter(STAGES)
