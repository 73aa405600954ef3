from pathlib import Path

import pytest
from torch import Tensor

from vsr_core.errors import ClipError, VideoError
from vsr_core.metrics.sources import find_clips, side_by_side


def files(folder: Path, *names: str) -> Path:
    folder.mkdir()
    for name in names:
        (folder / name).touch()
    return folder


def test_a_folder_of_images_is_one_clip(clips):
    assert find_clips(clips["sr"], clips["hr"], None) == {"sr": {"SR": clips["sr"], "HR": clips["hr"]}}


def test_clips_of_two_folders_belong_together_by_name(tmp_path):
    sr = files(tmp_path / "sr", "b.mp4", "a.mp4", ".hidden")
    hr = files(tmp_path / "hr", "a.mkv", "b.mkv", "c.mkv")

    assert find_clips(sr, hr, None) == {
        "a": {"SR": sr / "a.mp4", "HR": hr / "a.mkv"},
        "b": {"SR": sr / "b.mp4", "HR": hr / "b.mkv"},
    }


def test_a_clip_without_ground_truth_is_named(tmp_path):
    sr, hr = files(tmp_path / "sr", "a.mp4", "b.mp4"), files(tmp_path / "hr", "a.mp4")

    with pytest.raises(VideoError, match=r"hr holds no clip named b"):
        find_clips(sr, hr, None)


def test_two_clips_of_one_name_are_refused(tmp_path):
    with pytest.raises(VideoError, match="two clips named a"):
        find_clips(files(tmp_path / "sr", "a.mp4", "a.mkv"), None, None)


def test_a_clip_beside_a_folder_of_clips_is_refused(tmp_path, clips):
    folder = files(tmp_path / "many", "a.mp4")

    with pytest.raises(VideoError, match="hr is one clip while"):
        find_clips(folder, clips["hr"], None)
    with pytest.raises(VideoError, match="many is a folder of clips while"):
        find_clips(clips["sr"], folder, None)


@pytest.mark.parametrize("missing", ["sr", "hr", "lr"])
def test_a_path_that_does_not_exist_is_named(tmp_path, clips, missing):
    paths = clips | {missing: tmp_path / "nowhere"}

    with pytest.raises(VideoError, match="nowhere does not exist"):
        find_clips(paths["sr"], paths["hr"], paths["lr"])


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(VideoError, match="is empty"):
        find_clips(files(tmp_path / "sr"), None, None)


def test_bicubic_enlargement_stands_beside_the_frames(clips):
    moments = list(side_by_side({"SR": clips["sr"], "HR": clips["hr"], "LR": clips["lr"]}))

    assert len(moments) == 4
    assert [*moments[0]] == ["bicubic x4", "SR", "HR"]
    assert {tuple(frame.shape) for frame in moments[0].values()} == {(3, 128, 160)}
    assert (moments[0]["bicubic x4"] - moments[0]["HR"]).abs().mean() < 0.1


def test_different_frame_counts_are_refused_with_both_numbers(write_clip, clips, panning_clip: Tensor):
    short = write_clip("short", panning_clip[:2])

    with pytest.raises(ClipError, match="SR has 2, HR has 4"):
        list(side_by_side({"SR": short, "HR": clips["hr"]}))
    with pytest.raises(ClipError, match="SR has 4, HR has 2"):
        list(side_by_side({"SR": clips["sr"], "HR": short}))


def test_different_sizes_are_refused_with_both_sizes(write_clip, clips, panning_clip: Tensor):
    narrow = write_clip("narrow", panning_clip[..., :150])

    with pytest.raises(ClipError, match="SR is 150x128 and HR is 160x128"):
        next(side_by_side({"SR": narrow, "HR": clips["hr"]}))
    with pytest.raises(ClipError, match="SR is 150x128 and LR is 40x32"):
        next(side_by_side({"SR": narrow, "LR": clips["lr"]}))
