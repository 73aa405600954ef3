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
