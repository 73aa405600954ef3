"""A segment has the same bytes whenever and wherever it is written, appears whole, and can be written again."""

import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import media
import pytest
import torch
from video.parts import write_segments

from vsr_core.errors import VideoError
from vsr_core.video import CODECS, Quality, probe, segment_writer

ROOT = Path(__file__).resolve().parents[2]
TARGETS = {"h264": "o.mp4", "hevc": "o.mp4", "av1": "o.mp4", "prores": "o.mov", "ffv1": "o.mkv", "png": "o"}


def contents(path):
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    return [(file.name, file.read_bytes()) for file in files]


def noise(frames=10, height=96, width=128):
    return torch.rand(frames, 3, height, width, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("codec", CODECS)
def test_the_same_frames_give_the_same_bytes(tmp_path, codec):
    source = media.make_video(tmp_path / "in.mp4", frames=24, height=96, width=128, audio=None)
    quality = Quality(codec=codec).resolved(TARGETS[codec])
    written = []
    for number in range(2):
        (tmp_path / str(number)).mkdir()
        written.append([contents(path) for path in write_segments(source, tmp_path / str(number), [3, 20], quality)])
    assert written[0] == written[1]


ON_ONE_CORE = """
import os, sys
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from pathlib import Path
from video.parts import write_segments
from vsr_core.video import Quality
source, folder, codec, target = sys.argv[1:]
write_segments(source, Path(folder), [0, 12], Quality(codec=codec).resolved(target))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="restricts itself to one core as Linux does it")
@pytest.mark.parametrize("codec", ["h264", "hevc", "av1"])
def test_the_number_of_cores_changes_nothing(tmp_path, codec):
    source = media.make_video(tmp_path / "in.mp4", frames=12, height=192, width=256, audio=None)
    [here] = write_segments(source, tmp_path, [0, 12], Quality(codec=codec).resolved(TARGETS[codec]))
    (tmp_path / "there").mkdir()
    arguments = [str(source), str(tmp_path / "there"), codec, TARGETS[codec]]
    path = {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "PATH": "/usr/bin:/bin"}
    subprocess.run([sys.executable, "-c", ON_ONE_CORE, *arguments], check=True, env=path, cwd=ROOT)
    assert (tmp_path / "there" / here.name).read_bytes() == here.read_bytes()


@pytest.mark.parametrize("codec", ["h264", "png"])
def test_a_segment_is_not_there_before_it_is_whole_and_replaces_an_earlier_try(tmp_path, codec):
    source = probe(media.make_video(tmp_path / "in.mp4", audio=None))
    quality = Quality(codec=codec).resolved(TARGETS[codec])
    path = tmp_path / f"segment{quality.segment_suffix}"
    shared = {"height": 96, "width": 128, "source": source, "quality": quality}
    for last in (4, 6):
        before = contents(path) if path.exists() else None
        with segment_writer(path, **shared) as writer:
            for number, image in enumerate(noise()[:last]):
                writer.write(image, Fraction(number, 24))
            assert (contents(path) if path.exists() else None) == before
    assert contents(path) != before
    with pytest.raises(KeyboardInterrupt), segment_writer(tmp_path / f"b{quality.segment_suffix}", **shared) as writer:
        writer.write(noise(1)[0], Fraction(0))
        raise KeyboardInterrupt
    assert sorted(file.name for file in tmp_path.iterdir()) == ["in.mp4", path.name]


def test_images_of_a_later_segment_are_numbered_on(tmp_path):
    source = media.make_video(tmp_path / "in.mp4", frames=9, audio=None)
    paths = write_segments(source, tmp_path, [2, 5, 9], Quality(codec="png"), start=2)
    names = [file.name for path in paths for file in sorted(path.iterdir())]
    assert names == [f"frame_{number:06d}.png" for number in range(1, 8)]


def test_odd_sides_are_refused_only_where_the_codec_halves_them(tmp_path):
    source = probe(media.make_video(tmp_path / "in.mp4", audio=None))
    shared = {"height": 33, "width": 31, "source": source}
    with (
        pytest.raises(VideoError, match="31x33 frames cannot be encoded, h264 needs even sizes"),
        segment_writer(tmp_path / "a.mkv", quality=Quality(codec="h264"), **shared),
    ):
        pass
    with segment_writer(tmp_path / "b.mkv", quality=Quality(codec="ffv1"), **shared) as writer:
        writer.write(noise(1, 33, 31)[0], Fraction(0))
    assert [file.name for file in sorted(tmp_path.iterdir())] == ["b.mkv", "in.mp4"]


def test_an_encoder_that_ffmpeg_lacks_is_named(tmp_path, monkeypatch):
    source = probe(media.make_video(tmp_path / "in.mp4", audio=None))
    monkeypatch.setitem(CODECS, "av1", replace(CODECS["av1"], encoder="libnowhere"))
    with (
        pytest.raises(VideoError, match="lacks libnowhere and writes no av1. Choose another codec"),
        segment_writer(tmp_path / "a.mkv", height=48, width=64, source=source, quality=Quality(codec="av1")),
    ):
        pass
