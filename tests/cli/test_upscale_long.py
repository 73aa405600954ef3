"""`upscale` on long videos: stop and go on, other sizes and codecs, an estimate beforehand."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import pytest
from media import cut_off, make_video

from vsr_core.cli.main import main
from vsr_core.video import probe, read_frames

ROOT = Path(__file__).parents[2]


@pytest.fixture
def upscale(model):
    """Run `upscale` with the tiny model on the CPU; return the exit code."""

    def run(source: Path, target: Path, *options: object) -> int:
        words = ["upscale", source, target, "--model", model, "--device", "cpu", "--dtype", "fp32", *options]
        return main([str(word) for word in words])

    return run


@pytest.fixture
def stopped(model, video, tmp_path) -> Path:
    """The target of a run in short segments that was stopped by Ctrl-C when the first one was done."""
    out = tmp_path / "out.mp4"
    words = ["upscale", video, out, "--model", model, "--device", "cpu", "--dtype", "fp32", *SHORT]
    command = [sys.executable, "-m", "vsr_core", *map(str, words)]
    run = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    while not list((tmp_path / "out.mp4.parts").glob("segment_*.json")) and run.poll() is None:
        time.sleep(0.01)
    run.send_signal(signal.SIGINT)
    said = run.communicate(timeout=120)[1].splitlines()
    assert run.returncode == 1
    assert said[-1] == "stopped"
    assert "segments are kept in" in said[-2]
    return out


SHORT = ("--segment-seconds", "0.1")


class TestStoppedWork:
    def test_it_goes_on_to_the_same_file(self, upscale, video, stopped, tmp_path, capsys):
        assert upscale(video, stopped, *SHORT, "--resume") == 0
        assert "segments were done before" in capsys.readouterr().err
        assert upscale(video, tmp_path / "whole.mp4", *SHORT) == 0
        assert stopped.read_bytes() == (tmp_path / "whole.mp4").read_bytes()
        assert sorted(file.name for file in tmp_path.iterdir()) == ["out.mp4", "whole.mp4"]

    def test_it_is_never_dropped_silently(self, upscale, video, stopped, capsys):
        assert upscale(video, stopped, *SHORT) == 1
        said = capsys.readouterr().err
        assert "--resume" in said
        assert "--restart" in said
        assert len(said.splitlines()) == 1

    def test_other_settings_are_refused_by_name(self, upscale, video, stopped, capsys):
        assert upscale(video, stopped, *SHORT, "--resume", "--seed", "4") == 2
        assert "seed was 0, is 4" in capsys.readouterr().err

    def test_it_is_begun_anew_where_that_is_asked_for(self, upscale, video, stopped, capsys):
        assert upscale(video, stopped, *SHORT, "--restart", "--seed", "4") == 0
        assert "done before" not in capsys.readouterr().err
        assert probe(stopped).frames == 9


def test_resuming_what_was_never_begun_begins(upscale, video, tmp_path):
    assert upscale(video, tmp_path / "out.mp4", "--resume") == 0


class TestSize:
    @pytest.mark.parametrize(
        ("options", "size"),
        [
            (("--scale", "2"), (52, 36)),
            (("--height", "54"), (78, 54)),
            (("--width", "52", "--resize", "before"), (52, 36)),
            (("--scale", "1.5", "--codec", "ffv1"), (39, 27)),
        ],
    )
    def test_the_result_has_the_size_that_is_asked_for(self, upscale, video, tmp_path, options, size):
        assert upscale(video, tmp_path / "out.mkv", *options) == 0
        found = probe(tmp_path / "out.mkv")
        assert (found.frames, (found.width, found.height)) == (9, size)

    @pytest.mark.parametrize("options", [("--height", "64", "--scale", "2"), ("--scale", "x"), ("--resize", "never")])
    def test_sizes_that_contradict_each_other_are_bad_usage(self, upscale, video, tmp_path, options):
        assert upscale(video, tmp_path / "out.mp4", *options) == 2

    def test_a_comparison_of_another_size_is_as_large_as_the_result(self, upscale, video, tmp_path):
        from PIL import Image

        assert upscale(video, tmp_path / "out.mp4", "--scale", "2", "--compare", tmp_path / "both.png") == 0
        with Image.open(tmp_path / "both.png") as image:
            assert image.size == (2 * 52 + 8, 2 * 36 + 8)


class TestCodec:
    @pytest.mark.parametrize(
        ("name", "options", "codec"),
        [
            ("out.mp4", (), "h264"),
            ("out.mp4", ("--codec", "hevc", "--crf", "30", "--preset", "ultrafast"), "hevc"),
            ("out.mov", ("--codec", "prores"), "prores"),
            ("out.mkv", ("--codec", "ffv1"), "ffv1"),
        ],
    )
    def test_frames_are_coded_as_asked_for(self, upscale, video, tmp_path, name, options, codec):
        assert upscale(video, tmp_path / name, *options) == 0
        with av.open(str(tmp_path / name)) as written:
            assert written.streams.video[0].codec_context.name == codec

    @pytest.mark.parametrize(
        ("name", "options", "code", "message"),
        [
            ("out.mp4", ("--codec", "ffv1"), 1, "cannot hold ffv1"),
            ("out.mp4", ("--crf", "52"), 2, "crf 52"),
            ("out.mov", ("--codec", "prores", "--crf", "3"), 2, "prores takes neither"),
        ],
    )
    def test_what_does_not_fit_is_refused_before_anything_is_computed(
        self, upscale, video, tmp_path, capsys, name, options, code, message
    ):
        assert upscale(video, tmp_path / name, *options) == code
        heard = capsys.readouterr().err
        assert message in heard
        assert "frames [" not in heard
        assert list(tmp_path.iterdir()) == []


class TestDryRun:
    def test_it_prints_a_table_and_writes_nothing(self, upscale, video, tmp_path, capsys):
        assert upscale(video, tmp_path / "out.mp4", "--dry-run", "--frames", "2:8", "--scale", "2") == 0
        lines = capsys.readouterr().out.splitlines()
        assert [line.split("  ")[0] for line in lines] == ["time", "memory", "result", "size", "measured on"]
        assert "6 frames of 52x36, h264, crf 16, preset medium" in lines[2]
        assert list(tmp_path.iterdir()) == []

    def test_it_refuses_what_the_run_would_refuse(self, upscale, video, tmp_path, capsys):
        assert upscale(video, tmp_path / "out.mp4", "--dry-run", "--codec", "ffv1") == 1
        assert "cannot hold ffv1" in capsys.readouterr().err


class TestDamage:
    @pytest.fixture
    def cut(self, tmp_path) -> Path:
        path = make_video(tmp_path / "cut.mkv", frames=40, height=18, width=26, rate=25, audio=None)
        return cut_off(path, 0.6)

    def test_it_stops_with_the_option_that_helps(self, upscale, cut, tmp_path, capsys):
        assert upscale(cut, tmp_path / "out.mp4") == 1
        assert "--on-error finish" in capsys.readouterr().err
        assert sorted(file.name for file in tmp_path.iterdir()) == ["cut.mkv"]

    def test_it_finishes_what_can_be_read_where_that_is_asked_for(self, upscale, cut, tmp_path, capsys):
        assert upscale(cut, tmp_path / "out.mp4", "--on-error", "finish") == 0
        assert "note: " in capsys.readouterr().err
        assert 0 < sum(1 for _ in read_frames(tmp_path / "out.mp4")) < 40
