"""A quality names a codec, goes into the right files, and refuses what the codec does not know."""

import media
import numpy as np
import pytest

from vsr_core.errors import SettingError, VideoError
from vsr_core.video import CODECS, VIDEO_SUFFIXES, Quality, probe
from vsr_core.video.codecs import encoder_options

PLAYS = {
    "h264": (".mp4", ".mkv", ".mov"),
    "hevc": (".mp4", ".mkv", ".mov"),
    "av1": (".mp4", ".mkv"),
    "prores": (".mov", ".mkv"),
    "ffv1": (".mkv",),
    "png": ("",),
}


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("suffix", [*VIDEO_SUFFIXES, ""])
def test_a_codec_goes_into_the_files_that_hold_it(codec, suffix):
    if suffix in PLAYS[codec]:
        assert Quality(codec=codec).resolved(f"out{suffix}").codec == codec
    else:
        with pytest.raises(VideoError, match=f"cannot hold {codec}, which goes into .*Choose another"):
            Quality(codec=codec).resolved(f"out{suffix}")


@pytest.mark.parametrize("codec", CODECS)
def test_nothing_is_left_to_choose(codec):
    quality = Quality(codec=codec).resolved(f"out{PLAYS[codec][0]}")
    assert (quality.crf, quality.preset) == (CODECS[codec].crf, CODECS[codec].preset)
    assert quality.resolved(f"out{PLAYS[codec][0]}") == quality
    assert None not in encoder_options(quality, "yuv420p").values()


def test_the_usual_codec_follows_from_the_target_and_from_transparency(tmp_path):
    clip = np.full((1, 16, 16, 4), 128, np.uint8)
    file = media.make_video(tmp_path / "a.mov", clip=clip, codec="qtrle", pixel_format="argb", audio=None)
    see_through = probe(file)
    assert Quality().resolved("out.mp4").codec == "h264"
    assert Quality().resolved("out").codec == "png"
    assert Quality().resolved(tmp_path).codec == "png"
    assert Quality().resolved("out.mp4", see_through).codec == "h264"
    assert Quality().resolved("out.mov", see_through).codec == "prores"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"codec": "vp9"}, "no codec 'vp9'. Choose one of h264, hevc, av1, prores, ffv1, png"),
        ({"codec": "av1", "crf": 64}, "crf 0..63"),
        ({"codec": "av1", "preset": "medium"}, "a preset out of 0, 1, 2"),
        ({"codec": "hevc", "crf": 52}, "crf 0..51"),
        ({"codec": "prores", "crf": 10}, "prores takes neither"),
        ({"codec": "ffv1", "preset": "slow"}, "ffv1 takes neither"),
    ],
)
def test_impossible_settings_are_refused_with_the_possible_ones(settings, said):
    with pytest.raises(SettingError, match=said):
        Quality(**settings)


@pytest.mark.parametrize(
    ("codec", "alpha", "formats"),
    [
        ("h264", False, {8: "yuv420p", 10: "yuv420p"}),
        ("hevc", False, {8: "yuv420p", 10: "yuv420p10le", 12: "yuv420p10le"}),
        ("av1", True, {8: "yuv420p", 10: "yuv420p10le"}),
        ("prores", False, {8: "yuv422p10le", 10: "yuv422p10le"}),
        ("prores", True, {8: "yuva444p10le"}),
        ("ffv1", False, {8: "yuv444p", 10: "yuv444p10le", 12: "yuv444p12le", 14: "yuv444p16le"}),
        ("ffv1", True, {8: "yuva444p", 16: "yuva444p16le"}),
    ],
)
def test_depth_and_alpha_are_kept_where_the_codec_can(codec, alpha, formats):
    assert {bits: CODECS[codec].pixel_format(bits, alpha) for bits in formats} == formats
