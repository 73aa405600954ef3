"""One bar over all stages of every frame."""

import pytest

from vsr_core.cli.progress import FrameBar


def shown(capsys) -> str:
    heard = capsys.readouterr()
    assert heard.out == ""
    return heard.err.split("\r")[-1]


def test_the_bar_is_full_when_all_stages_are_done(capsys):
    with FrameBar(8) as bar:
        bar.update("step", 8, 8)
        bar.update("decode", 8, 8)
    assert "100%" in (line := shown(capsys))
    assert "8/8 frames" in line


def test_the_bar_is_two_thirds_full_when_only_decoding_is_left(capsys):
    with FrameBar(9) as bar:
        bar.update("encode", 9, 9)
        bar.update("step", 9, 9)
    assert "67%" in (line := shown(capsys))
    assert "6/9 frames" in line


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
        bar.update("scan", 9, 9)
        assert "a.mp4: 100%" in (line := shown(capsys))
        assert "reading" in line
        bar.update("decode", 0, 9)
        bar.update("encode", 6, 9)
        assert " 22%" in shown(capsys)


def test_the_bar_of_a_run_that_goes_on_begins_where_it_stopped(capsys):
    with FrameBar() as bar:
        bar.update("decode", 4, 8)
        assert "4/8 frames" in shown(capsys)
