"""A folder of images reads like a video and is written like one."""

from fractions import Fraction

import media
import numpy as np
import pytest
import torch
from PIL import Image

from vsr_core.errors import VideoError
from vsr_core.video import open_writer, probe, read_frames, read_image


def as_tensor(picture: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(picture.astype(np.float32)).permute(2, 0, 1) / np.iinfo(picture.dtype).max


def test_images_are_read_in_natural_order_at_24_frames_per_second(tmp_path):
    clip = media.gratings(11, 16, 24)
    folder = media.make_images(tmp_path / "in", clip)
    (folder / "notes.txt").write_text("no image")
    info = probe(folder)
    assert (info.frames, info.frame_rate, info.duration) == (11, 24, Fraction(11, 24))
    assert (info.is_folder, info.has_audio, info.has_alpha, info.bit_depth) == (True, False, False, 8)
    for number, (frame, picture) in enumerate(zip(read_frames(folder), clip, strict=True)):
        assert torch.equal(frame.image, as_tensor(picture))
        assert frame.time == Fraction(number, 24)
    assert [frame.time for frame in read_frames(folder, 9)] == [Fraction(9, 24), Fraction(10, 24)]


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif", ".bmp"])
def test_every_image_format_reads_as_pillow_shows_it(tmp_path, suffix):
    options = {".jpg": {"quality": 95, "subsampling": 0}, ".webp": {"lossless": True}}.get(suffix, {})
    picture = media.gratings(1, 600, 40)[0]
    file = media.write_image(tmp_path / f"picture{suffix}", picture, **options)
    shown = as_tensor(np.asarray(Image.open(file).convert("RGB")))
    difference = (read_image(file)[0] - shown).abs()
    assert difference.mean() < (0.01 if suffix == ".jpg" else 1e-6)


def test_chroma_of_a_photograph_lies_where_jpeg_puts_it(tmp_path):
    wave = (127 + 100 * np.sin(np.arange(96) / 6)).astype(np.uint8)
    rows = [np.tile(channel, (48, 1)) for channel in (wave, 255 - wave, np.full_like(wave, 128))]
    file = media.write_image(tmp_path / "a.jpg", np.stack(rows, -1), quality=98, subsampling=2)
    shown = as_tensor(np.asarray(Image.open(file)))
    assert (read_image(file)[0] - shown).abs().mean() < 0.006


def test_sixteen_bit_png_keeps_its_bits_and_alpha(tmp_path):
    rng = np.random.default_rng(0)
    clip = rng.integers(0, 65536, (2, 8, 8, 4), dtype=np.uint16)
    folder = media.make_images(tmp_path / "deep", clip)
    info = probe(folder)
    assert (info.bit_depth, info.has_alpha) == (16, True)
    for frame, picture in zip(read_frames(folder), clip, strict=True):
        torch.testing.assert_close(torch.cat([frame.image, frame.alpha]), as_tensor(picture), atol=1e-6, rtol=0)


def test_a_palette_image_has_alpha_only_where_something_is_transparent(tmp_path):
    opaque = Image.fromarray(media.gratings(1, 16, 16)[0]).quantize(16)
    opaque.save(tmp_path / "opaque.png")
    opaque.save(tmp_path / "holes.png", transparency=0)
    assert read_image(tmp_path / "opaque.png")[1] is None
    assert read_image(tmp_path / "holes.png")[1].eq(0).any()


@pytest.mark.parametrize("tag", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_exif_orientation_is_applied(tmp_path, tag, suffix):
    from PIL import ImageOps

    picture = Image.fromarray(media.gratings(1, 16, 40)[0])
    exif = picture.getexif()
    exif[274] = tag
    file = tmp_path / f"photo{suffix}"
    picture.save(file, exif=exif)
    upright = as_tensor(np.asarray(ImageOps.exif_transpose(Image.open(file))))
    image = read_image(file)[0]
    info = probe(file)
    assert tuple(image.shape) == tuple(upright.shape) == (3, info.height, info.width)
    assert (image - upright).abs().mean() < 0.02


def test_one_image_is_a_sequence_of_one_frame(tmp_path):
    file = media.write_image(tmp_path / "photo.png", media.gratings(1, 16, 24)[0])
    assert (probe(file).frames, probe(file).is_folder) == (1, True)
    assert len(list(read_frames(file))) == 1


def test_mixed_sizes_are_refused_by_name(tmp_path):
    folder = media.make_images(tmp_path / "in", media.gratings(3, 16, 24))
    media.write_image(folder / "frame_2.png", media.gratings(1, 16, 26)[0])
    with pytest.raises(VideoError, match=r"frame_2\.png is 26x16 .* 24x16"):
        probe(folder)
    frames = read_frames(folder)
    next(frames)
    with pytest.raises(VideoError, match=r"frame_2\.png is 26x16"):
        next(frames)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(VideoError, match="contains no image"):
        probe(tmp_path)
    with pytest.raises(VideoError, match="contains no image"):
        read_frames(tmp_path)


def test_a_broken_image_is_named(tmp_path):
    folder = media.make_images(tmp_path / "in", media.gratings(3, 16, 24))
    (folder / "frame_3.png").write_text("no image at all")
    with pytest.raises(VideoError, match=r"frame_3\.png"):
        probe(folder)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif", ".bmp"])
def test_an_image_that_is_cut_off_is_named(tmp_path, suffix):
    names = [f"a{number}{suffix}" for number in range(3)]
    folder = media.make_images(tmp_path / "in", media.gratings(3, 100, 100), names=names)
    media.cut_off(folder / names[1], 0.7)
    frames = read_frames(folder)
    next(frames)
    with pytest.raises(VideoError, match=rf"a1\{suffix}"):
        next(frames)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [3, 4])
def test_a_folder_is_written_with_the_depth_names_and_alpha_of_its_source(tmp_path, dtype, channels):
    rng = np.random.default_rng(0)
    clip = rng.integers(0, np.iinfo(dtype).max + 1, (3, 8, 12, channels), dtype=dtype)
    names = ["a.png", "b7.png", "b30.png"]
    source = probe(media.make_images(tmp_path / "in", clip, names=names))
    with open_writer(tmp_path / "out", height=8, width=12, source=source) as writer:
        for frame in read_frames(source.path):
            writer.write(frame.image, frame.time, frame.alpha)
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == sorted(names)
    for frame, copy in zip(read_frames(source.path), read_frames(tmp_path / "out"), strict=True):
        assert torch.equal(frame.image, copy.image)
        assert (frame.alpha is None and copy.alpha is None) or torch.equal(frame.alpha, copy.alpha)
    assert probe(tmp_path / "out").bit_depth == np.iinfo(dtype).bits


def test_names_follow_the_frame_numbers_of_a_range(tmp_path):
    source = probe(media.make_images(tmp_path / "in", media.gratings(6, 8, 8)))
    with open_writer(tmp_path / "out", height=8, width=8, source=source, trimmed=True) as writer:
        for frame in read_frames(source.path, 3, 5):
            writer.write(frame.image, frame.time)
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["frame_4.png", "frame_5.png"]


def test_frames_of_a_video_are_numbered_from_one(tmp_path):
    source = probe(media.make_video(tmp_path / "in.mp4", frames=2))
    with open_writer(tmp_path / "out", height=48, width=64, source=source) as writer:
        for frame in read_frames(source.path):
            writer.write(frame.image, frame.time)
    names = sorted(file.name for file in (tmp_path / "out").iterdir())
    assert names == ["frame_000001.png", "frame_000002.png"]


def test_images_whose_names_differ_only_in_their_ending_all_get_a_file(tmp_path):
    source = probe(media.make_images(tmp_path / "in", media.gratings(2, 8, 8), names=["a.png", "a.bmp"]))
    with open_writer(tmp_path / "out", height=8, width=8, source=source) as writer:
        for frame in read_frames(source.path):
            writer.write(frame.image, frame.time)
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_a_folder_with_files_is_never_touched(tmp_path):
    kept = tmp_path / "out" / "holiday.png"
    media.make_images(tmp_path / "out", media.gratings(2, 8, 8), names=["frame_000001.png", kept.name])
    before = kept.read_bytes()
    for overwrite in (False, True):
        with (
            pytest.raises(VideoError, match="not empty"),
            open_writer(tmp_path / "out", height=8, width=8, overwrite=overwrite),
        ):
            pass
    assert kept.read_bytes() == before
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "out").mkdir()
    with open_writer(tmp_path / "out", height=8, width=8) as writer:
        writer.write(torch.zeros(3, 8, 8), Fraction(0))
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["frame_000001.png"]


def test_an_interrupted_folder_leaves_nothing(tmp_path):
    with (
        pytest.raises(KeyboardInterrupt),
        open_writer(tmp_path / "out", height=8, width=8) as writer,
    ):
        writer.write(torch.zeros(3, 8, 8), Fraction(0))
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_files_that_appear_in_the_folder_meanwhile_are_kept_and_so_are_the_images(tmp_path):
    with (
        pytest.raises(VideoError, match="left alone; the result is in"),
        open_writer(tmp_path / "out", height=8, width=8) as writer,
    ):
        writer.write(torch.zeros(3, 8, 8), Fraction(0))
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "mine.txt").write_text("mine")
    assert (tmp_path / "out" / "mine.txt").read_text() == "mine"
    assert len(list(tmp_path.glob("out-*/frame_000001.png"))) == 1
