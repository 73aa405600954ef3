"""`batch`: every video of a folder; one that fails does not stop the others."""

import sys
from pathlib import Path

import pytest

from vsr_core.cli.main import main
from vsr_core.video import probe


@pytest.fixture
def batch(model, tmp_path):
    """Run `batch` with the tiny model on the CPU; return the exit code."""

    def run(*options: object) -> int:
        words = ["batch", tmp_path / "in", tmp_path / "out", "--model", model, "--device", "cpu", "--dtype", "fp32"]
        return main([str(word) for word in [*words, *options]])

    return run


@pytest.fixture
def folder(video, tmp_path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.mp4", "b.mp4"):
        (folder / name).write_bytes(video.read_bytes())
    (folder / "notes.txt").write_text("no video")
    return folder


def results(tmp_path: Path) -> list[str]:
    return sorted(file.name for file in (tmp_path / "out").iterdir())


def test_every_video_is_upscaled_under_its_name(batch, folder, tmp_path, capsys):
    assert batch() == 0
    assert results(tmp_path) == ["a.mp4", "b.mp4"]
    assert probe(tmp_path / "out" / "a.mp4").width == 104
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"a.mp4: 9 frames, 104x72 -> {tmp_path / 'out' / 'a.mp4'}"
    assert lines[-1] == "2 upscaled, 0 there already, 0 failed"


def test_a_video_that_fails_is_named_and_the_others_are_done(batch, folder, tmp_path, capsys):
    (folder / "a.mp4").write_bytes(b"no video")
    assert batch() == 1
    assert results(tmp_path) == ["b.mp4"]
    heard = capsys.readouterr()
    assert "error: a.mp4: " in heard.err
    assert heard.out.splitlines()[-1] == "1 upscaled, 0 there already, 1 failed; failed: a.mp4"


def test_what_is_there_already_is_left_out(batch, folder, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.mp4").write_bytes(b"mine")
    assert batch() == 0
    assert (tmp_path / "out" / "a.mp4").read_bytes() == b"mine"
    assert capsys.readouterr().out.splitlines()[-1] == "1 upscaled, 1 there already, 0 failed"
    assert batch("--overwrite") == 0
    assert probe(tmp_path / "out" / "a.mp4").frames == 9


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (("--codec", "ffv1"), ["a.mkv", "b.mkv"]),
        (("--codec", "prores"), ["a.mov", "b.mov"]),
        (("--suffix", ".mkv"), ["a.mkv", "b.mkv"]),
        (("--codec", "png"), ["a", "b"]),
    ],
)
def test_results_end_as_their_codec_needs(batch, folder, tmp_path, options, names):
    assert batch(*options) == 0
    assert results(tmp_path) == names


def test_a_folder_without_videos_is_bad_usage(batch, tmp_path, capsys):
    assert batch() == 2
    assert "holds no videos" in capsys.readouterr().err


def test_two_videos_that_would_have_one_result_are_bad_usage(batch, folder, capsys):
    (folder / "a.mkv").write_bytes(b"")
    assert batch() == 2
    assert "Several videos are called a" in capsys.readouterr().err


def test_without_ray_the_error_says_how_to_install_it(batch, folder, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ray", None)
    assert batch("--ray") == 1
    assert "pip install .[distributed]" in capsys.readouterr().err
