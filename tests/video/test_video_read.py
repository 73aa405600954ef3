"""What is in the file comes out: every frame, the right way up, at its time, with its alpha."""

from fractions import Fraction

import av
import media
import numpy as np
import pytest
import torch

from vsr_core.errors import SettingError, VideoError
from vsr_core.video import probe, read_frames

LOSSLESS = {"codec": "ffv1", "pixel_format": "bgr0", "audio": None}


def as_tensor(picture: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(picture).permute(2, 0, 1).float() / np.iinfo(picture.dtype).max


def test_probe_tells_what_was_written(tmp_path):
    info = probe(media.make_video(tmp_path / "clip.mp4", frames=12, height=48, width=64, rate=25))
    assert (info.height, info.width, info.frames, info.frame_rate) == (48, 64, 12, 25)
    assert (info.duration, info.rotation, info.bit_depth) == (Fraction(12, 25), 0, 8)
    assert (info.has_alpha, info.has_audio, info.is_folder) == (False, True, False)
    assert info.sample_aspect_ratio == 1


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.mov", "clip.avi"])
def test_every_frame_is_read_at_its_time_in_every_container(tmp_path, name):
    codecs = {"codec": "mjpeg", "pixel_format": "yuvj422p", "audio": None} if name[-3:] == "avi" else {}
    file = media.make_video(tmp_path / name, frames=13, rate=Fraction(30000, 1001), **codecs)
    frames = list(read_frames(file))
    assert [frame.time for frame in frames] == [n * Fraction(1001, 30000) for n in range(13)]
    assert probe(file).frames == 13


def test_lossless_rgb_is_read_exactly(tmp_path):
    clip = media.gratings(3, 20, 30)
    for frame, picture in zip(
        read_frames(media.make_video(tmp_path / "clip.mkv", clip=clip, **LOSSLESS)), clip, strict=True
    ):
        assert torch.equal(frame.image, as_tensor(picture))
        assert frame.alpha is None
        assert frame.image.dtype == torch.float32


def test_a_range_gives_the_frames_with_those_numbers_and_their_times(tmp_path):
    file = media.make_video(tmp_path / "clip.mp4", frames=20, options={"preset": "medium", "crf": "10"})
    whole = list(read_frames(file))
    part = list(read_frames(file, 7, 11))
    assert [frame.time for frame in part] == [Fraction(n, 24) for n in (7, 8, 9, 10)]
    for expected, frame in zip(whole[7:11], part, strict=True):
        assert torch.equal(expected.image, frame.image)
    assert len(list(read_frames(file, 15, 100))) == 5


@pytest.mark.parametrize(("start", "stop"), [(-1, None), (3, 3), (5, 2)])
def test_a_range_without_frames_is_refused(tmp_path, start, stop):
    with pytest.raises(SettingError, match="no range"):
        read_frames(tmp_path / "clip.mp4", start, stop)


def test_a_range_beyond_the_end_is_refused(tmp_path):
    file = media.make_video(tmp_path / "clip.mp4", frames=4)
    with pytest.raises(SettingError, match="no frame number 4"):
        next(read_frames(file, 4))


@pytest.mark.parametrize("clockwise", [0, 90, 180, 270])
def test_rotated_video_is_shown_upright(tmp_path, clockwise):
    file = media.make_video(tmp_path / "clip.mp4", height=32, width=64, frames=2, audio=None)
    stored = next(read_frames(file)).image
    media.rotate(file, clockwise)
    info, image = probe(file), next(read_frames(file)).image
    assert info.rotation == clockwise
    assert tuple(image.shape) == (3, info.height, info.width)
    assert torch.equal(image, torch.rot90(stored, -clockwise // 90, (1, 2)))


def test_mirrored_video_is_mirrored(tmp_path):
    file = media.make_video(tmp_path / "clip.mp4", frames=2, audio=None)
    stored = next(read_frames(file)).image
    media.rotate(file, 0, mirrored=True)
    assert torch.equal(next(read_frames(file)).image, stored.flip(2))


@pytest.mark.parametrize(("codec", "pixel_format"), [("qtrle", "argb"), ("png", "rgba"), ("ffv1", "bgra")])
def test_alpha_of_a_video_is_read_exactly(tmp_path, codec, pixel_format):
    clip = np.concatenate([media.gratings(3, 16, 24), media.gratings(3, 16, 24, seed=1)[..., :1]], -1)
    name = "clip.mkv" if codec == "ffv1" else "clip.mov"
    file = media.make_video(tmp_path / name, clip=clip, codec=codec, pixel_format=pixel_format, audio=None)
    assert probe(file).has_alpha
    for frame, picture in zip(read_frames(file), clip, strict=True):
        assert torch.equal(torch.cat([frame.image, frame.alpha]), as_tensor(picture))


def test_alpha_beside_yuv_is_read_at_full_range(tmp_path):
    clip = np.zeros((1, 16, 16, 4), np.uint8)
    clip[..., :8, 3] = 255
    file = media.make_video(tmp_path / "a.mkv", clip=clip, codec="ffv1", pixel_format="yuva420p", audio=None)
    alpha = next(read_frames(file)).alpha
    assert alpha.shape == (1, 16, 16)
    assert alpha[..., :8].eq(1).all()
    assert alpha[..., 8:].eq(0).all()


def test_a_gif_without_transparency_has_no_alpha(tmp_path):
    file = media.make_video(tmp_path / "a.gif", frames=3, codec="gif", pixel_format="rgb8", audio=None)
    assert not probe(file).has_alpha
    assert all(frame.alpha is None for frame in read_frames(file))


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv"])
def test_a_variable_frame_rate_keeps_its_times(tmp_path, name):
    times = [0, 40, 47, 120, 121, 300, 1000]
    file = media.make_video(tmp_path / name, frames=7, times=times, audio=None)
    assert [frame.time for frame in read_frames(file)] == [Fraction(t, 1000) for t in times]


def test_a_file_without_time_stamps_plays_at_its_frame_rate(tmp_path):
    file = media.make_video(tmp_path / "raw.h264", frames=5, audio=None)
    rate = probe(file).frame_rate
    assert [frame.time for frame in read_frames(file)] == [n / rate for n in range(5)]


def test_sixteen_bit_video_keeps_more_than_eight_bits(tmp_path):
    clip = np.zeros((1, 16, 16, 3), np.uint16)
    clip[0] = (np.arange(256, dtype=np.uint16) + 30000).reshape(16, 16, 1)
    file = media.make_video(tmp_path / "d.mkv", clip=clip, codec="ffv1", pixel_format="gbrp16le", audio=None)
    assert probe(file).bit_depth == 16
    assert torch.equal(next(read_frames(file)).image, as_tensor(clip[0]))


@pytest.mark.parametrize(("height", "width"), [(35, 51), (16, 17), (17, 16), (1, 1), (3, 2)])
def test_odd_sizes_are_read_whole(tmp_path, height, width):
    clip = media.gratings(2, height, width)
    file = media.make_video(tmp_path / "odd.mkv", clip=clip, codec="rawvideo", pixel_format="yuv420p", audio=None)
    info = probe(file)
    assert (info.height, info.width) == (height, width)
    assert [tuple(frame.image.shape) for frame in read_frames(file)] == [(3, height, width)] * 2


def test_a_single_frame_is_a_video(tmp_path):
    file = media.make_video(tmp_path / "one.mp4", frames=1)
    assert probe(file).frames == 1
    assert [frame.time for frame in read_frames(file)] == [0]


def test_a_file_without_sound_says_so(tmp_path):
    assert not probe(media.make_video(tmp_path / "mute.mp4", audio=None)).has_audio


def test_pixels_that_are_not_square_are_reported_as_shown(tmp_path):
    file = tmp_path / "wide.mp4"
    media.make_video(file, frames=2, tags={"sample_aspect_ratio": Fraction(4, 3)}, audio=None)
    assert probe(file).sample_aspect_ratio == Fraction(4, 3)
    media.rotate(file, 90)
    assert probe(file).sample_aspect_ratio == Fraction(3, 4)


def test_pictures_that_start_late_keep_their_delay(tmp_path):
    times = [200, 240, 280, 320]
    file = media.make_video(tmp_path / "late.mp4", frames=4, times=times, audio_seconds=0.4)
    assert [frame.time for frame in read_frames(file)] == [Fraction(t, 1000) for t in times]


def test_sound_that_starts_before_zero_does_not_delay_the_pictures(tmp_path):
    options = {"avoid_negative_ts": "disabled"}
    file = media.make_video(tmp_path / "clip.ts", frames=3, container_options=options)
    assert media.audio_packets(file)[0][0] < 0
    assert next(read_frames(file)).time == 0


def test_a_packet_that_repeats_the_last_frame_is_no_damage(tmp_path):
    file = media.make_video(tmp_path / "in.nut", frames=6, codec="mjpeg", pixel_format="yuvj420p", audio=None)
    repeating = tmp_path / "repeating.nut"
    with av.open(str(file)) as source, av.open(str(repeating), "w") as out:
        stream = out.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(p for p in source.demux(video=0) if p.dts is not None):
            copy = av.Packet(b"" if number == 3 else bytes(packet))
            copy.pts, copy.dts, copy.time_base, copy.stream = packet.pts, packet.dts, packet.time_base, stream
            out.mux(copy)
    assert [frame.time * 24 for frame in read_frames(repeating)] == [0, 1, 2, 4, 5]


def test_reading_stops_cleanly_half_way(tmp_path):
    file = media.make_video(tmp_path / "clip.mp4", frames=12)
    frames = read_frames(file)
    next(frames)
    frames.close()
    file.unlink()
    with pytest.raises(VideoError, match="does not exist"):
        next(read_frames(file))
