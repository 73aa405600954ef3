"""Whatever happens, the target is complete or not there, and no file of the user is touched."""

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import media
import pytest
import torch

from vsr_core.errors import VideoError
from vsr_core.video import open_writer, probe, read_frames

ROOT = Path(__file__).resolve().parents[2]
GREY = torch.full((3, 32, 32), 0.5)


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, GeneratorExit, RuntimeError])
def test_an_interrupted_video_leaves_nothing(tmp_path, interruption):
    source = probe(media.make_video(tmp_path / "in.mp4", frames=60))
    with (
        pytest.raises(interruption),
        open_writer(tmp_path / "out.mp4", height=48, width=64, source=source) as writer,
    ):
        for frame in read_frames(source.path):
            writer.write(frame.image, frame.time)
        raise interruption
    assert [file.name for file in tmp_path.iterdir()] == ["in.mp4"]


def test_the_target_is_not_there_before_the_end(tmp_path):
    with open_writer(tmp_path / "out.mp4", height=32, width=32) as writer:
        writer.write(GREY, Fraction(0))
        names = [file.name for file in tmp_path.iterdir()]
        assert names
        assert all(name.startswith(".out.partial-") for name in names)
    assert [file.name for file in tmp_path.iterdir()] == ["out.mp4"]


def test_an_existing_file_is_kept_unless_overwriting_is_allowed(tmp_path):
    target = tmp_path / "out.mp4"
    target.write_text("mine")
    with pytest.raises(VideoError, match="already exists"), open_writer(target, height=32, width=32):
        pass
    with (
        pytest.raises(RuntimeError),
        open_writer(target, height=32, width=32, overwrite=True) as writer,
    ):
        writer.write(GREY, Fraction(0))
        raise RuntimeError
    assert target.read_text() == "mine"
    with open_writer(target, height=32, width=32, overwrite=True) as writer:
        writer.write(GREY, Fraction(0))
    assert probe(target).frames == 1


def test_a_file_that_appears_meanwhile_is_kept_and_so_is_the_video(tmp_path):
    with (
        pytest.raises(VideoError, match="left alone; the result is in"),
        open_writer(tmp_path / "out.mp4", height=32, width=32) as writer,
    ):
        writer.write(GREY, Fraction(0))
        (tmp_path / "out.mp4").write_text("mine")
    assert (tmp_path / "out.mp4").read_text() == "mine"
    assert [probe(file).frames for file in tmp_path.glob("out-*.mp4")] == [1]


def test_the_video_being_read_is_never_the_target(tmp_path):
    source = probe(media.make_video(tmp_path / "in.mp4"))
    with (
        pytest.raises(VideoError, match="is the file being read"),
        open_writer(source.path, height=48, width=64, source=source, overwrite=True),
    ):
        pass
    assert probe(source.path) == source


@pytest.mark.parametrize("name", ["out.mp4", "out"])
def test_a_parent_that_is_a_file_is_reported(tmp_path, name):
    (tmp_path / "file").write_text("no folder")
    with (
        pytest.raises(VideoError, match="was not written: .* Choose a place that can be written to"),
        open_writer(tmp_path / "file" / name, height=32, width=32),
    ):
        pass


def test_a_file_in_the_place_of_the_folder_is_reported(tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(VideoError, match="is a file"), open_writer(tmp_path / "out", height=32, width=32):
        pass
    (tmp_path / "dir.mp4").mkdir()
    with (
        pytest.raises(VideoError, match="is a folder"),
        open_writer(tmp_path / "dir.mp4", height=32, width=32),
    ):
        pass


def test_missing_parent_folders_are_created(tmp_path):
    with open_writer(tmp_path / "a" / "b" / "out.mp4", height=32, width=32) as writer:
        writer.write(GREY, Fraction(0))
    assert probe(tmp_path / "a" / "b" / "out.mp4").frames == 1


FULL_DISK = """
import resource, signal, sys, torch
from fractions import Fraction
from vsr_core.errors import VideoError
from vsr_core.video import open_writer
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
noise = torch.rand(40, 3, 128, 128, generator=torch.Generator().manual_seed(0))
try:
    with open_writer(sys.argv[1], height=128, width=128) as writer:
        for number, image in enumerate(noise):
            writer.write(image, Fraction(number, 24))
except VideoError as error:
    print(error)
    sys.exit(3)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits the file size by a POSIX resource limit")
@pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "out"])
def test_a_disk_that_runs_full_is_reported_and_leaves_nothing(tmp_path, name):
    run = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path / name)], capture_output=True, text=True, cwd=ROOT
    )
    assert run.returncode == 3, run.stderr
    assert "was not written: the file grew beyond the allowed size. Free some space" in run.stdout
    assert list(tmp_path.iterdir()) == []
