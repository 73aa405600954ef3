"""Compression by real encoders."""

import numpy as np
import pytest

from vsr_core.degradations.codec import video_codec
from vsr_core.errors import SettingError

ENCODERS = [("libx264", "crf", 24), ("mpeg4", "qscale", 4), ("mpeg2video", "qscale", 4)]


def moving_waves(frames=7, height=48, width=64):
    t, y, x = np.mgrid[:frames, :height, :width].astype(np.float32)
    waves = np.sin(x / 3 + t) + np.sin(y / 4 - t) + np.sin((x + y) / 2 + t / 2)
    return np.repeat((0.5 + 0.15 * waves)[..., None], 3, -1).astype(np.float32)


def psnr(a, b):
    return -10 * np.log10(((a - b) ** 2).mean())


@pytest.mark.parametrize("frames", [1, 2, 7, 25])
@pytest.mark.parametrize(("encoder", "option", "value"), ENCODERS)
def test_every_encoder_returns_every_frame_in_order_at_odd_sizes(encoder, option, value, frames):
    ramp = np.linspace(0.2, 0.8, frames, dtype=np.float32)[:, None, None, None]
    clip = np.broadcast_to(ramp, (frames, 37, 51, 3)).copy()
    compressed = video_codec(clip, encoder, option, value)
    assert compressed.shape == clip.shape
    np.testing.assert_allclose(compressed.mean((1, 2, 3)), ramp.ravel(), atol=0.02)


@pytest.mark.parametrize(
    ("encoder", "option", "values"),
    [
        ("libx264", "crf", (16, 26, 36, 46)),
        ("mpeg4", "qscale", (2, 6, 14, 30)),
        ("mpeg2video", "qscale", (2, 6, 14, 30)),
        ("libx264", "bitrate", (800_000, 200_000, 50_000)),
        ("mpeg4", "bitrate", (1_000_000, 50_000, 10_000)),
    ],
)
def test_coarser_settings_lose_more(encoder, option, values):
    clip = moving_waves(12)
    qualities = [psnr(video_codec(clip, encoder, option, value), clip) for value in values]
    assert qualities == sorted(qualities, reverse=True)
    assert qualities[0] > qualities[-1] + 3


@pytest.mark.parametrize(("encoder", "option", "value"), [*ENCODERS, ("libx264", "bitrate", 30_000)])
def test_the_same_clip_gives_the_same_bytes_every_time(encoder, option, value):
    clip = moving_waves(7, 50, 66)
    first = video_codec(clip, encoder, option, value)
    for size in range(1000, 9000, 400):
        np.random.default_rng(size).random(size)
        assert np.array_equal(video_codec(clip, encoder, option, value), first)


def test_colours_survive():
    clip = np.broadcast_to(np.array([0.8, 0.3, 0.1], np.float32), (3, 32, 32, 3)).copy()
    compressed = video_codec(clip, "libx264", "crf", 18)
    np.testing.assert_allclose(compressed[1, 16, 16], [0.8, 0.3, 0.1], atol=0.03)


@pytest.mark.parametrize(
    ("encoder", "option"),
    [("cinepak9", "bitrate"), ("libx264", "qscale"), ("mpeg4", "crf"), ("mpeg4", "speed")],
)
def test_an_unknown_encoder_or_option_is_refused_by_name(encoder, option):
    with pytest.raises(SettingError, match="libx264"):
        video_codec(moving_waves(2), encoder, option, 5)
