"""A scan knows every frame, shot and time of a source, and where it is damaged."""

from fractions import Fraction
from pathlib import Path

import media
import numpy as np
import pytest

from vsr_core.errors import SettingError, VideoError
from vsr_core.tiling.cuts import shot_lengths
from vsr_core.video import read_frames, scan

CITY = Path(__file__).parents[1] / "data" / "city_cut.mp4"


def two_shots():
    """Return 14 frames of one picture and 10 of another."""
    return np.concatenate([np.repeat(media.gratings(1, seed=seed), count, 0) for seed, count in ((1, 14), (2, 10))])


def test_frames_times_and_shots_are_those_of_the_file(tmp_path):
    rate = Fraction(30000, 1001)
    line = scan(media.make_video(tmp_path / "a.mp4", clip=two_shots(), rate=rate))
    assert (line.first, line.frames, line.shots, line.damage) == (0, 24, (14, 10), None)
    assert line.times == tuple(number / rate for number in range(24))
    assert line.end == 24 / rate


def test_a_real_cut_is_found_where_whole_frames_show_it():
    import torch

    clip = torch.stack([frame.image for frame in read_frames(CITY)])
    assert scan(CITY).shots == tuple(shot_lengths(clip, scene_cuts=True))
    assert len(scan(CITY).shots) > 1


def test_without_scene_cuts_everything_is_one_shot(tmp_path):
    assert scan(media.make_video(tmp_path / "a.mp4", clip=two_shots()), scene_cuts=False).shots == (24,)


def test_a_range_is_numbered_in_the_whole_file(tmp_path):
    file = media.make_video(tmp_path / "a.mp4", clip=two_shots())
    line = scan(file, 5, 20)
    assert (line.first, line.frames, line.shots) == (5, 15, (9, 6))
    assert line.times == tuple(Fraction(number, 24) for number in range(5, 20))
    assert [seek.number for seek in line.seeks] == list(range(5, 20))
    assert scan(file, 20, 100).frames == 4


def test_a_folder_of_images_is_scanned_like_a_video(tmp_path):
    line = scan(media.make_images(tmp_path / "in", two_shots()), 2)
    assert (line.first, line.frames, line.shots) == (2, 22, (12, 10))
    assert (line.times[0], line.end) == (Fraction(2, 24), 1)
    assert set(line.seeks) == {None}


def test_progress_counts_every_frame(tmp_path):
    seen = []
    scan(media.make_video(tmp_path / "a.mp4"), 2, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(number, 10) for number in range(1, 11)]


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_damage_stops_with_advice_or_ends_the_range_with_a_reason(tmp_path, name):
    options = {"container_options": {"movflags": "+faststart"} if name == "a.mp4" else {}}
    whole = media.make_video(tmp_path / name, frames=60, height=96, width=128, audio=None, **options)
    expected = scan(whole)
    file = media.cut_off(whole, 0.7)
    with pytest.raises(VideoError, match=r"is damaged at frame \d+.*--on-error finish"):
        scan(file)
    line = scan(file, on_error="finish")
    assert 0 < line.frames < 60
    assert f"damaged at frame {line.frames}" in line.damage
    assert line.times == expected.times[: line.frames]
    assert sum(line.shots) == line.frames
    last = line.seeks[-1]
    assert len(list(read_frames(file, last.number, line.frames, seek=last))) == 1


def test_damage_before_the_range_is_an_error_in_any_case(tmp_path):
    file = media.cut_off(media.make_video(tmp_path / "a.mkv", frames=60, height=96, width=128, audio=None), 0.5)
    with pytest.raises(VideoError, match="is damaged"):
        scan(file, 58, on_error="finish")


def test_a_range_that_is_none_or_beyond_the_end_is_refused(tmp_path):
    file = media.make_video(tmp_path / "a.mp4")
    with pytest.raises(SettingError, match="no range"):
        scan(file, 4, 4)
    with pytest.raises(SettingError, match="no frame number 12"):
        scan(file, 12)


def test_pictures_that_are_small_or_odd_or_deep_are_scanned(tmp_path):
    for height, width, pixels in ((1, 1, "yuv420p"), (35, 51, "gbrp16le"), (3, 200, "gray"), (16, 16, "yuva444p10le")):
        clip = media.gratings(3, height, width)
        file = media.make_video(tmp_path / "a.mkv", clip=clip, codec="ffv1", pixel_format=pixels, audio=None)
        assert scan(file).frames == 3
