"""Training pairs from files: the same bytes for the same index, from every kind of media."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from training.clip_files import moving, textured, write_animation, write_video

from vsr_core.clip import resize_bicubic
from vsr_core.degradations import CLEAN
from vsr_core.errors import ClipError, SettingError, VideoError
from vsr_core.training.data import (
    ClipDataset,
    PrepareSettings,
    SyntheticClips,
    prepare,
    quality,
    sources_in,
)
from vsr_core.training.data import media as media_files
from vsr_core.training.data.clips import draw_chances
from vsr_core.training.data.prepare import Source, best_clips
from vsr_core.training.data.synthetic import synthetic_clip


@pytest.fixture
def folder(tmp_path):
    """A folder with a video, an animated WebP, a prepared clip and a photograph, two in a sub-folder."""
    (tmp_path / "deeper").mkdir()
    write_video(tmp_path / "video.mp4", moving(seed=1))
    write_animation(tmp_path / "animation.webp", moving(seed=2))
    np.save(tmp_path / "deeper" / "clip.npy", moving(seed=3))
    Image.fromarray(textured(seed=4)).save(tmp_path / "deeper" / "photo.png")
    (tmp_path / "notes.txt").write_text("not media")
    return tmp_path


def dataset(folder, **settings):
    return ClipDataset([folder], **{"frames": 3, "size": 64, "photographs": 0.25, **settings})


def same(a, b):
    return all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


def test_every_kind_of_media_is_found_and_gives_the_stated_shapes(folder):
    data = dataset(folder)
    assert {item.path.name for item in data.media} == {"video.mp4", "animation.webp", "clip.npy", "photo.png"}
    for item in data.media:
        low, high = dataset(item.path)[0]
        assert low.shape == (3, 3, 16, 16), item.path
        assert high.shape == (3, 3, 64, 64), item.path
        assert low.dtype == high.dtype == torch.float32
        assert 0 <= high.min() < high.max() <= 1


def test_an_index_gives_the_same_bytes_in_any_order_and_beyond_the_length(folder):
    first, second = dataset(folder), dataset(folder)
    indices = [0, 1, 2, len(first), 10_000_019]
    forward = {index: first[index] for index in indices}
    backward = {index: second[index] for index in reversed(indices)}
    assert all(same(forward[index], backward[index]) for index in indices)


def test_other_indices_and_other_seeds_give_other_clips(folder):
    data, other = dataset(folder), dataset(folder, seed=1)
    assert not same(data[0], data[1])
    assert not same(data[0], other[0])
    assert not same(data[0], data[len(data)])


def test_worker_processes_give_the_same_items_as_the_main_process(folder):
    data = dataset(folder)
    indices = [3, 0, 7, 5]
    loader = torch.utils.data.DataLoader(data, batch_size=None, sampler=indices, num_workers=2)
    for index, item in zip(indices, loader, strict=True):
        assert same(item, data[index])


def test_the_low_resolution_clip_shows_the_high_resolution_clip(folder):
    data = dataset(folder, degradation=CLEAN)
    for index in range(6):
        low, high = data[index]
        torch.testing.assert_close(low, resize_bicubic(high, 16, 16), atol=1.5 / 255, rtol=0)


def test_items_are_flipped_transposed_and_reversed(tmp_path):
    ramp = np.zeros((2, 64, 64, 3), np.uint8)
    ramp[..., 0] = np.arange(64)
    ramp[..., 1] = 2 * np.arange(64)[:, None]
    ramp[1, ..., 2] = 200
    np.save(tmp_path / "ramp.npy", ramp)
    data = dataset(tmp_path, frames=2, degradation=CLEAN)
    seen = set()
    for index in range(150):
        high = data[index][1]
        red, green = high[0, 0], high[0, 1]
        along_x = (red[0, -1] - red[0, 0]).item()
        along_y = (green[-1, 0] - green[0, 0]).item()
        across = (red[-1, 0] - red[0, 0]).item()
        direction = np.sign(along_x or across), np.sign(along_y or (green[0, -1] - green[0, 0]).item())
        seen.add((*direction, across != 0, high[0, 2, 0, 0].item() > 0.5))
    assert len(seen) == 16


def test_photographs_are_drawn_as_often_as_asked(folder):
    Image.fromarray(textured(seed=5)).save(folder / "another.png")
    data = dataset(folder)
    shares = dict(zip((item.path.name for item in data.media), data.chances))
    assert shares["photo.png"] == shares["another.png"] == pytest.approx(0.125)
    assert sum(shares.values()) == pytest.approx(1)
    stills = [item for item in data.media if item.frames == 1]
    assert draw_chances(stills, 3, 0.25).tolist() == [0.5, 0.5]


def test_a_longer_video_is_drawn_more_often(tmp_path):
    np.save(tmp_path / "long.npy", moving(30))
    np.save(tmp_path / "short.npy", moving(6))
    assert dataset(tmp_path).chances == pytest.approx([5 / 6, 1 / 6])


@pytest.mark.parametrize("start", [0, 3, 5, 7])
def test_video_frames_are_read_from_the_asked_position(tmp_path, start):
    frames = moving(10)
    write_video(tmp_path / "video.mp4", frames)
    item = media_files.open_media(tmp_path / "video.mp4")
    assert (item.frames, item.height, item.width) == (10, 96, 112)
    read = media_files.read_frames(item, start, 3)
    errors = [np.abs(read.astype(int) - frames[k : k + 3].astype(int)).mean() for k in range(8)]
    assert int(np.argmin(errors)) == start


def test_animation_frames_are_read_from_the_asked_position(tmp_path):
    frames = moving(6)
    write_animation(tmp_path / "animation.webp", frames)
    item = media_files.open_media(tmp_path / "animation.webp")
    np.testing.assert_array_equal(media_files.read_frames(item, 2, 3), frames[2:5])


def test_a_rotated_photograph_is_read_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(textured(40, 60)).save(tmp_path / "phone.png", exif=exif)
    item = media_files.open_media(tmp_path / "phone.png")
    assert (item.height, item.width) == (60, 40)
    assert media_files.read_frames(item, 0, 1).shape == (1, 60, 40, 3)


def test_prepared_clips_give_the_same_kind_of_item_as_the_plain_folder(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("prepared")
    listed = prepare(sources_in([folder]), out, PrepareSettings(frames=5, clips=2))
    assert {entry["path"]: entry["clips"] for entry in listed} == {
        "animation.webp": 2,
        "clip.npy": 2,
        "photo.png": 1,
        "video.mp4": 2,
    }
    assert json.loads((out / "sources.json").read_text())[0]["license"] == "not stated"
    low, high = dataset(out / "clips")[0]
    assert low.shape == (3, 3, 16, 16)
    assert high.shape == (3, 3, 64, 64)
    stored = np.load(next((out / "clips").glob("*animation*000.npy")))
    np.testing.assert_array_equal(stored, moving(seed=2)[:5])


def test_prepare_drops_soft_static_and_cut_stretches(tmp_path):
    good, soft = moving(5, seed=1), np.full((5, 96, 112, 3), 90, np.uint8)
    still = np.repeat(moving(1, seed=2), 10, 0)
    cut = np.concatenate([moving(2, seed=3) // 3, 255 - moving(3, seed=4) // 3])
    np.save(tmp_path / "mixed.npy", np.concatenate([good, soft, still, cut]))
    clips = list(best_clips(Source(path=tmp_path / "mixed.npy"), PrepareSettings(frames=5, clips=9)))
    assert len(clips) == 2
    assert sum(quality.motion(clip) == 0 for clip in clips) == 1


def test_a_source_is_cropped_reduced_and_limited_to_its_frames(tmp_path):
    frames = moving(20)
    np.save(tmp_path / "clip.npy", frames)
    source = Source(path=tmp_path / "clip.npy", box=(16, 0, 96, 112), reduce=2, first=5, last=16, clips=3)
    clips = list(best_clips(source, PrepareSettings(frames=5, detail=0)))
    assert [clip.shape for clip in clips] == [(5, 40, 56, 3)] * 2
    assert np.abs(clips[0][0, 3, 4] - frames[5, 22:24, 8:10].mean((0, 1))).max() <= 1


def test_prepare_stops_at_its_budget_and_never_adds_to_an_older_set(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("prepared")
    budget = 2 * 5 * 96 * 112 * 3
    prepare(sources_in([folder]), out, PrepareSettings(frames=5, budget=budget))
    written = sum(np.load(path).nbytes for path in (out / "clips").iterdir())
    assert 0 < written <= budget
    with pytest.raises(SettingError, match="already holds clips"):
        prepare(sources_in([folder]), out)


def test_prepare_says_so_when_nothing_is_good_enough(tmp_path):
    np.save(tmp_path / "flat.npy", np.full((5, 96, 112, 3), 90, np.uint8))
    with pytest.raises(ClipError, match="sharp"):
        prepare(sources_in([tmp_path]), tmp_path / "out", PrepareSettings(frames=5))


def test_folders_without_media_are_refused(tmp_path):
    with pytest.raises(SettingError, match="no images, videos"):
        dataset(tmp_path)
    with pytest.raises(SettingError, match="does not exist"):
        dataset(tmp_path / "nowhere")


def test_media_that_are_all_too_small_or_too_short_are_refused(tmp_path):
    np.save(tmp_path / "short.npy", moving(2))
    np.save(tmp_path / "small.npy", moving(9, 32, 32))
    with pytest.raises(SettingError, match="None of the 2 files"):
        dataset(tmp_path)


def test_single_files_that_do_not_fit_are_left_out_with_a_warning(folder):
    np.save(folder / "short.npy", moving(2))
    with pytest.warns(UserWarning, match="short.npy"):
        assert len(dataset(folder).media) == 4


@pytest.mark.parametrize("name", ["broken.mp4", "broken.png", "broken.npy"])
def test_a_broken_file_is_named(tmp_path, name):
    (tmp_path / name).write_bytes(b"this is no media file" * 9)
    with pytest.raises(VideoError, match=name):
        dataset(tmp_path)


def test_an_array_that_is_no_clip_is_named(tmp_path):
    np.save(tmp_path / "floats.npy", np.zeros((4, 64, 64, 3), np.float32))
    with pytest.raises(VideoError, match="uint8"):
        dataset(tmp_path)


@pytest.mark.parametrize("settings", [{"frames": 0}, {"size": 63}, {"size": 16}])
def test_impossible_clip_sizes_are_refused(folder, settings):
    with pytest.raises(SettingError, match=f"{next(iter(settings.values()))}"):
        dataset(folder, **settings)
    with pytest.raises(SettingError):
        SyntheticClips(**settings)


def test_synthetic_clips_move_have_edges_and_repeat_exactly():
    data = SyntheticClips(frames=4, size=64, seed=3, length=5)
    assert len(data) == 5
    low, high = data[2]
    assert low.shape == (4, 3, 16, 16)
    assert high.shape == (4, 3, 64, 64)
    assert same(data[2], SyntheticClips(frames=4, size=64, seed=3)[2])
    assert not same(data[2], data[3])
    for seed in range(6):
        clip = synthetic_clip(4, 64, np.random.default_rng(seed))
        assert quality.detail(clip[0]) > 50
        assert quality.motion(clip) > 0.2
