"""A written video has the frames, times, alpha and pixel shape it was given; what cannot be written is refused."""

from fractions import Fraction

import av
import media
import numpy as np
import pytest
import torch

from vsr_core.errors import ClipError, SettingError, VideoError
from vsr_core.video import Quality, open_writer, probe, read_frames

GREY = torch.full((3, 32, 32), 0.5)


def copy_video(source, target, *, start=0, stop=None, **options):
    """Read and write frames unchanged and return what was read."""
    info = probe(source)
    frames = list(read_frames(source, start, stop))
    with open_writer(target, height=info.height, width=info.width, source=info, **options) as writer:
        for frame in frames:
            writer.write(frame.image, frame.time, frame.alpha)
    return frames


def mean_error(frames, copies):
    return np.mean([(a.image - b.image).abs().mean().item() for a, b in zip(frames, copies, strict=True)])


@pytest.mark.parametrize("rate", [Fraction(24), Fraction(24000, 1001), Fraction(25), Fraction(60)])
@pytest.mark.parametrize("kinds", [("mp4", "mkv"), ("mkv", "mp4"), ("mov", "mov")])
def test_frames_times_rate_and_picture_survive_a_change_of_container(tmp_path, rate, kinds):
    source = media.make_video(tmp_path / f"in.{kinds[0]}", frames=30, rate=rate, height=96, width=128)
    target = tmp_path / f"out.{kinds[1]}"
    frames = copy_video(source, target)
    copies, info = list(read_frames(target)), probe(target)
    assert (info.frames, info.frame_rate) == (30, rate)
    assert [copy.time for copy in copies] == [frame.time for frame in frames]
    assert mean_error(frames, copies) < 0.02
    with av.open(str(target)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv"])
def test_a_variable_frame_rate_stays_variable(tmp_path, name):
    times = [0, 40, 47, 120, 121, 300, 1000]
    source = media.make_video(tmp_path / "in.mp4", frames=7, times=times, audio=None)
    copy_video(source, tmp_path / name)
    assert [frame.time for frame in read_frames(tmp_path / name)] == [Fraction(t, 1000) for t in times]


def test_one_frame_makes_a_video(tmp_path):
    copy_video(media.make_video(tmp_path / "in.mp4", frames=1), tmp_path / "out.mp4")
    assert probe(tmp_path / "out.mp4").frames == 1


def test_the_same_frames_give_the_same_file(tmp_path):
    source = media.make_video(tmp_path / "in.mp4", height=96, width=128)
    copy_video(source, tmp_path / "a.mp4")
    copy_video(source, tmp_path / "b.mp4")
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_the_output_of_a_rotated_video_is_upright_and_says_so(tmp_path):
    source = media.rotate(media.make_video(tmp_path / "in.mp4", height=96, width=128), 90)
    frames = copy_video(source, tmp_path / "out.mp4")
    info = probe(tmp_path / "out.mp4")
    assert (info.height, info.width, info.rotation) == (128, 96, 0)
    assert mean_error(frames, read_frames(tmp_path / "out.mp4")) < 0.02


def test_the_shape_of_pixels_is_kept(tmp_path):
    source = tmp_path / "in.mp4"
    media.make_video(source, tags={"sample_aspect_ratio": Fraction(4, 3)})
    copy_video(source, tmp_path / "out.mkv")
    assert probe(tmp_path / "out.mkv").sample_aspect_ratio == Fraction(4, 3)


def test_a_lower_crf_is_closer_to_the_original(tmp_path):
    source = media.make_video(tmp_path / "in.mp4", height=96, width=128)
    errors = []
    for crf in (4, 40):
        frames = copy_video(source, tmp_path / f"{crf}.mp4", quality=Quality(crf=crf, preset="veryfast"))
        errors.append(mean_error(frames, read_frames(tmp_path / f"{crf}.mp4")))
    assert errors[0] < errors[1] / 2


@pytest.mark.parametrize("settings", [{"crf": -1}, {"crf": 52}, {"preset": "best"}])
def test_impossible_qualities_are_refused(settings):
    with pytest.raises(SettingError, match="crf 0..51"):
        Quality(**settings)


@pytest.mark.parametrize("name", ["out.mov", "out.mkv"])
def test_transparency_is_kept_where_the_container_can(tmp_path, name):
    clip = np.concatenate([media.gratings(3, 32, 48), media.gratings(3, 32, 48, seed=1)[..., :1]], -1)
    source = media.make_video(tmp_path / "in.mov", clip=clip, codec="qtrle", pixel_format="argb")
    frames = copy_video(source, tmp_path / name)
    copies = list(read_frames(tmp_path / name))
    assert probe(tmp_path / name).has_alpha
    assert mean_error(frames, copies) < 0.02
    assert max((a.alpha - b.alpha).abs().max().item() for a, b in zip(frames, copies, strict=True)) < 0.01


def test_transparency_that_cannot_be_kept_is_refused(tmp_path):
    clip = np.full((2, 32, 48, 4), 128, np.uint8)
    source = media.make_video(tmp_path / "in.mov", clip=clip, codec="qtrle", pixel_format="argb")
    with pytest.raises(VideoError, match=r"out\.mp4 cannot keep the transparency"):
        copy_video(source, tmp_path / "out.mp4")
    assert [file.name for file in tmp_path.iterdir()] == ["in.mov"]


def test_an_alpha_channel_without_a_transparent_pixel_fits_everywhere(tmp_path):
    clip = np.full((2, 32, 48, 4), 255, np.uint8)
    source = media.make_video(tmp_path / "in.mov", clip=clip, codec="qtrle", pixel_format="argb")
    copy_video(source, tmp_path / "out.mp4")
    assert probe(tmp_path / "out.mp4").frames == 2


@pytest.mark.parametrize(("height", "width"), [(31, 32), (32, 33)])
def test_odd_sizes_are_refused(tmp_path, height, width):
    with (
        pytest.raises(VideoError, match="even sizes"),
        open_writer(tmp_path / "out.mp4", height=height, width=width),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["out.mp4", "out"])
def test_frames_that_are_not_finite_are_refused(tmp_path, value, name):
    bad = GREY.clone()
    bad[1, 2, 3] = value
    with (
        pytest.raises(ClipError, match=r"0\.500 s contains NaN or infinity"),
        open_writer(tmp_path / name, height=32, width=32) as writer,
    ):
        writer.write(GREY, Fraction(0))
        writer.write(bad, Fraction(1, 2))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("image", [GREY[None], GREY[:, :16], GREY.mul(255).byte()])
def test_frames_of_another_shape_or_type_are_refused(tmp_path, image):
    with (
        pytest.raises(ClipError, match=r"expected \(3, 32, 32\) of floats"),
        open_writer(tmp_path / "out.mp4", height=32, width=32) as writer,
    ):
        writer.write(image, Fraction(0))


def test_values_out_of_range_and_half_precision_are_written_as_the_nearest_colour(tmp_path):
    with open_writer(tmp_path / "out.mp4", height=32, width=32) as writer:
        writer.write(GREY.half() * 8 - 2, Fraction(0))
    assert next(read_frames(tmp_path / "out.mp4")).image.min() > 0.98


def test_times_must_increase(tmp_path):
    with (
        pytest.raises(VideoError, match="does not come after"),
        open_writer(tmp_path / "out.mp4", height=32, width=32) as writer,
    ):
        writer.write(GREY, Fraction(1))
        writer.write(GREY, Fraction(1))


@pytest.mark.parametrize("name", ["out.mp4", "out"])
def test_writing_no_frame_is_an_error(tmp_path, name):
    with (
        pytest.raises(VideoError, match="no frame to write"),
        open_writer(tmp_path / name, height=32, width=32),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["out.avi", "out.png", "out.webm"])
def test_other_endings_are_refused_and_the_known_ones_named(tmp_path, name):
    with (
        pytest.raises(VideoError, match=r"\.mp4, \.mkv, \.mov"),
        open_writer(tmp_path / name, height=8, width=8),
    ):
        pass
