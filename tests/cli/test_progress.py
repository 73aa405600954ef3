"""One bar over both passes of every frame."""

import pytest

from vsr_core.cli.progress import FrameBar


def shown(capsys) -> str:
    heard = capsys.readouterr()
    assert heard.out == ""
    return heard.err.split("\r")[-1]


def test_the_bar_is_full_when_both_passes_are_done(capsys):
    with FrameBar(8) as bar:
        bar.update("step", 8, 8)
        bar.update("decode", 8, 8)
    assert "100%" in (line := shown(capsys))
    assert "8/8 frames" in line


def test_the_bar_is_half_full_when_one_pass_is_done(capsys):
    with FrameBar(8) as bar:
        bar.update("step", 8, 8)
    assert "50%" in (line := shown(capsys))
    assert "4/8 frames" in line


@pytest.mark.parametrize("total", [None, 3])
def test_frames_are_counted_beyond_and_without_an_expected_number(capsys, total):
    with FrameBar(total) as bar:
        for stage in ("step", "decode"):
            bar.update(stage, 5, total)
    assert "5" in shown(capsys)


def test_nothing_is_shown_before_the_work_begins(capsys):
    FrameBar(8)
    assert capsys.readouterr().err == ""


def test_seconds_are_those_of_the_work():
    with FrameBar(1) as bar:
        assert bar.seconds == 0
    assert bar.seconds > 0


def test_reading_is_shown_apart_from_upscaling(capsys):
    with FrameBar(title="a.mp4") as bar:
        bar.update("scan", 8, 8)
        assert "a.mp4: 100%" in (line := shown(capsys))
        assert "reading" in line
        bar.update("step", 0, 8)
        bar.update("step", 4, 8)
        assert " 25%" in shown(capsys)


def test_the_bar_of_a_run_that_goes_on_begins_where_it_stopped(capsys):
    with FrameBar() as bar:
        bar.update("step", 4, 8)
        bar.update("decode", 4, 8)
        assert "4/8 frames" in shown(capsys)
