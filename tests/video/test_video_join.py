"""Joined segments hold every packet of every segment, at the exact time of its frame."""

from fractions import Fraction

import av
import media
import numpy as np
import pytest
import torch
from video.parts import copy_in_segments, make_rich, packets, times, write_segments

from vsr_core.errors import VideoError
from vsr_core.video import Quality, check_target, join_segments, open_writer, probe, read_frames

TARGETS = [
    ("h264", ".mp4"), ("h264", ".mkv"), ("h264", ".mov"), ("hevc", ".mp4"), ("hevc", ".mkv"), ("hevc", ".mov"),
    ("av1", ".mp4"), ("av1", ".mkv"), ("prores", ".mov"), ("prores", ".mkv"), ("ffv1", ".mkv"),
]  # fmt: skip
VARIABLE = [0, 40, 47, 120, 121, 300, 1000, 1040, 1080, 1120, 1160, 1200, 1240, 1280, 1320, 1361, 1402, 1403, 1500]
"""Times of frames in milliseconds."""
BOUNDS = [0, 6, 7, 19]
ADTS_HEADER = 7
"""Bytes before every packet of AAC in a transport stream, which other files do without."""


def decoded(path):
    """Return the codes of every frame as they are stored."""
    with av.open(str(path)) as container:
        return [frame.to_ndarray() for frame in container.decode(video=0)]


def stamps_of_packets(path):
    with av.open(str(path)) as container:
        return [(packet.pts, packet.dts) for packet in container.demux(video=0) if packet.size]


@pytest.mark.parametrize(("codec", "suffix"), TARGETS)
def test_every_codec_is_joined_without_losing_a_bit(tmp_path, codec, suffix):
    source = media.make_video(tmp_path / "in.mp4", times=VARIABLE, clip=media.gratings(19, 64, 96), audio=None)
    target = tmp_path / f"out{suffix}"
    quality = Quality(codec=codec).resolved(target)
    segments = write_segments(source, tmp_path, BOUNDS, quality)
    assert join_segments(segments, target, source=probe(source), quality=quality) == []
    assert times(target) == [Fraction(time, 1000) for time in VARIABLE]
    assert [frame.time for frame in read_frames(target)] == [Fraction(time, 1000) for time in VARIABLE]
    parts = [picture for segment in segments for picture in decoded(segment)]
    assert all(np.array_equal(a, b) for a, b in zip(parts, decoded(target), strict=True))
    with av.open(str(target)) as container:
        context = container.streams.video[0].codec_context
        assert (context.height, context.width) == (64, 96)
        assert codec in (context.name, {"libdav1d": "av1"}.get(context.name))


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
def test_tags_that_are_given_stand_in_place_of_the_sources(tmp_path, suffix):
    source = make_rich(tmp_path / "in.mkv", frames=12)
    given = {"title": "Mine", "prompt": '{"1": "a graph"}' * 2000}
    copy_in_segments(source, tmp_path / f"out{suffix}", [0, 6, 12], tags=given)
    with av.open(str(tmp_path / f"out{suffix}")) as container:
        written = {name.lower(): text for name, text in container.metadata.items()}
    assert written.items() >= {**given, "artist": "Somebody", "mood": "quiet"}.items()


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_packets_are_in_order_and_never_shown_before_they_are_decoded(tmp_path, suffix):
    source = media.make_video(tmp_path / "in.mp4", times=VARIABLE, frames=19, audio=None)
    target = tmp_path / f"out{suffix}"
    copy_in_segments(source, target, BOUNDS, quality=Quality(preset="medium"))
    shown, known = zip(*stamps_of_packets(target))
    assert list(shown) != sorted(shown)  # there are B-frames
    given = [stamp for stamp in known if stamp is not None]
    assert given == sorted(set(given))
    assert all(decoding is None or decoding <= showing for showing, decoding in zip(shown, known))


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(30000, 1001), Fraction(25), Fraction(60)])
@pytest.mark.parametrize("kinds", [("mp4", "mkv"), ("mkv", "mp4"), ("mp4", "mov")])
def test_the_frame_rate_of_film_and_television_is_exact(tmp_path, rate, kinds):
    options = {"preset": "medium", "crf": "20"}
    source = media.make_video(tmp_path / f"in.{kinds[0]}", frames=40, rate=rate, options=options, audio=None)
    target = tmp_path / f"out.{kinds[1]}"
    copy_in_segments(source, target, [0, 13, 14, 40])
    assert (probe(target).frame_rate, probe(target).frames) == (rate, 40)
    assert [frame.time for frame in read_frames(target)] == [number / rate for number in range(40)]
    tolerance = Fraction(1, 2000) if kinds[1] == "mkv" else 0
    assert all(abs(time - number / rate) <= tolerance for number, time in enumerate(times(target)))
    if kinds[1] != "mkv":
        assert {duration for _, duration, _ in packets(target)} == {1 / rate}


def test_a_first_frame_before_zero_moves_everything_so_that_it_is_at_zero(tmp_path):
    stamps = [-100, -60, *(40 * number - 20 for number in range(10))]
    early = {"avoid_negative_ts": "disabled"}
    source = media.make_video(tmp_path / "in.ts", frames=12, times=stamps, container_options=early)
    assert [frame.time for frame in read_frames(source)] == [Fraction(stamp, 1000) for stamp in stamps]
    copy_in_segments(source, tmp_path / "out.mp4", [0, 5, 12])
    assert times(tmp_path / "out.mp4") == [Fraction(stamp + 100, 1000) for stamp in stamps]
    expected = [(time + Fraction(1, 10), data) for time, _, data in packets(source, "audio")]
    copies = packets(tmp_path / "out.mp4", "audio")
    assert [data for _, _, data in copies] == [data[ADTS_HEADER:] for _, data in expected]
    assert all(abs(copy[0] - time) < 0.001 for copy, (time, _) in zip(copies, expected))


def test_a_video_of_a_phone_stands_upright(tmp_path):
    source = media.rotate(media.make_video(tmp_path / "in.mp4", height=48, width=64, frames=8), 90)
    copy_in_segments(source, tmp_path / "out.mp4", [0, 5, 8])
    info = probe(tmp_path / "out.mp4")
    assert (info.height, info.width, info.rotation) == (64, 48, 0)
    error = [(a.image - b.image).abs().mean() for a, b in zip(read_frames(source), read_frames(tmp_path / "out.mp4"))]
    assert max(error) < 0.04


@pytest.mark.parametrize(("codec", "suffix"), TARGETS)
def test_colour_tags_and_the_shape_of_pixels_survive_or_are_named(tmp_path, codec, suffix):
    tags = {"colorspace": 9, "color_range": 1, "color_primaries": 9, "color_trc": 16}
    tags |= {"sample_aspect_ratio": Fraction(4, 3)}
    source = media.make_video(tmp_path / "in.mp4", frames=4, tags=tags, audio=None)
    target = tmp_path / f"out{suffix}"
    notes = copy_in_segments(source, target, [0, 2, 4], quality=Quality(codec=codec))
    info = probe(target)
    assert info.color == probe(source).color
    if suffix == ".mkv" and codec in ("av1", "prores", "ffv1"):
        [note] = notes
        assert "should be 4/3 times as wide as high" in note
    else:
        assert (notes, info.sample_aspect_ratio) == ([], Fraction(4, 3))


def test_another_shape_of_pixels_can_be_given(tmp_path):
    source = media.make_video(tmp_path / "in.mp4", frames=4, audio=None)
    quality = Quality().resolved("out.mp4")
    segments = write_segments(source, tmp_path, [0, 2, 4], quality, sample_aspect_ratio=Fraction(64, 63))
    join_segments(segments, tmp_path / "out.mp4", source=probe(source), quality=quality)
    assert probe(tmp_path / "out.mp4").sample_aspect_ratio == Fraction(64, 63)


@pytest.mark.parametrize(("codec", "suffix"), [("hevc", ".mp4"), ("av1", ".mkv"), ("prores", ".mov"), ("ffv1", ".mkv")])
def test_ten_bits_stay_ten_bits(tmp_path, codec, suffix):
    ramp = np.repeat(np.linspace(20000, 24000, 64, dtype=np.uint16)[None, None, :, None], 48, 1).repeat(3, 3)
    clip = np.concatenate([ramp] * 3)
    source = media.make_video(tmp_path / "in.mkv", clip=clip, codec="ffv1", pixel_format="yuv422p10le", audio=None)
    target = tmp_path / f"out{suffix}"
    assert copy_in_segments(source, target, [0, 1, 3], quality=Quality(codec=codec)) == []
    assert probe(target).bit_depth == 10
    frames, copies = list(read_frames(source)), list(read_frames(target))
    assert max((a.image - b.image).abs().max() for a, b in zip(frames, copies)) < 0.006
    assert len(copies[0].image[1, 20].unique()) > 30  # 8 bits give 16


def test_bits_that_are_not_kept_are_named(tmp_path):
    clip = media.gratings(2).astype(np.uint16) * 257
    source = media.make_video(tmp_path / "in.mkv", clip=clip, codec="ffv1", pixel_format="yuv420p10le", audio=None)
    [note] = copy_in_segments(source, tmp_path / "out.mp4", [0, 2])
    assert note == (
        "The input has 10 bits a sample, h264 is written with 8; more are kept by hevc, av1, prores, ffv1, png."
    )


@pytest.mark.parametrize(("codec", "suffix"), [("prores", ".mov"), ("prores", ".mkv"), ("ffv1", ".mkv"), ("png", "")])
def test_transparency_is_kept_by_the_codecs_that_know_it(tmp_path, codec, suffix):
    clip = np.concatenate([media.gratings(3, 32, 48), media.gratings(3, 32, 48, seed=1)[..., :1]], -1)
    source = media.make_video(tmp_path / "in.mov", clip=clip, codec="qtrle", pixel_format="argb", audio=None)
    target = tmp_path / f"out{suffix}"
    copy_in_segments(source, target, [0, 1, 3], quality=Quality(codec=codec))
    for frame, copy in zip(read_frames(source), read_frames(target), strict=True):
        assert (frame.image - copy.image).abs().mean() < 0.02
        assert (frame.alpha - copy.alpha).abs().max() < 0.01


def test_lossless_is_within_rounding(tmp_path):
    source = media.make_video(tmp_path / "in.mp4", frames=3, audio=None)
    copy_in_segments(source, tmp_path / "out.mkv", [0, 2, 3], quality=Quality(codec="ffv1"))
    for frame, copy in zip(read_frames(source), read_frames(tmp_path / "out.mkv"), strict=True):
        assert (frame.image - copy.image).abs().max() < 2 / 255


@pytest.mark.parametrize(("codec", "suffix", "tag"), [("hevc", ".mp4", "hvc1"), ("prores", ".mov", "apch")])
def test_quicktime_finds_the_name_it_knows(tmp_path, codec, suffix, tag):
    source = media.make_video(tmp_path / "in.mp4", frames=2, audio=None)
    copy_in_segments(source, tmp_path / f"out{suffix}", [0, 2], quality=Quality(codec=codec))
    with av.open(str(tmp_path / f"out{suffix}")) as container:
        assert container.streams.video[0].codec_context.codec_tag == tag


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_the_index_comes_first_for_players_on_the_web(tmp_path, suffix):
    target = tmp_path / f"out{suffix}"
    copy_in_segments(media.make_video(tmp_path / "in.mp4"), target, [0, 7, 12])
    data = target.read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")


def test_the_same_segments_give_the_same_file(tmp_path):
    source = media.make_video(tmp_path / "in.mp4", audio_tracks=2)
    for name in ("a.mp4", "b.mp4", "a.mkv"):
        copy_in_segments(source, tmp_path / name, [0, 7, 12])
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_images_are_joined_into_one_folder_and_the_segments_keep_theirs(tmp_path):
    source = media.make_video(tmp_path / "in.mp4", frames=7, audio=None)
    segments = write_segments(source, tmp_path, [0, 3, 7], Quality(codec="png"))
    join_segments(segments, tmp_path / "out", source=probe(source), quality=Quality(codec="png"))
    assert [file.name for file in sorted((tmp_path / "out").iterdir())] == [f"frame_{n:06d}.png" for n in range(1, 8)]
    assert [len(list(segment.iterdir())) for segment in segments] == [3, 4]
    for frame, copy in zip(read_frames(source), read_frames(tmp_path / "out"), strict=True):
        assert (frame.image - copy.image).abs().max() < 1 / 255


def test_the_images_of_a_folder_keep_their_names_over_segments(tmp_path):
    names = ["a.png", "b7.png", "b30.png", "c.png"]
    source = media.make_images(tmp_path / "in", media.gratings(4, 16, 16), names=names)
    copy_in_segments(source, tmp_path / "out", [0, 3, 4])
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == sorted(names)
    for frame, copy in zip(read_frames(source), read_frames(tmp_path / "out"), strict=True):
        assert torch.equal(frame.image, copy.image)


def test_a_folder_of_images_becomes_a_video_at_24_frames_per_second(tmp_path):
    source = media.make_images(tmp_path / "in", media.gratings(5, 16, 16))
    copy_in_segments(source, tmp_path / "out.mp4", [0, 3, 5])
    assert times(tmp_path / "out.mp4") == [Fraction(number, 24) for number in range(5)]


def test_segments_that_are_coded_differently_are_refused(tmp_path):
    source = media.make_video(tmp_path / "in.mp4", audio=None)
    (tmp_path / "other").mkdir()
    mp4 = {"target": tmp_path / "out.mp4", "source": probe(source)}
    for other, said in (("hevc", r"codec: hevc instead of h264"), ("h264", "extradata")):
        segments = write_segments(source, tmp_path, [0, 6], Quality(codec="h264", preset="medium", crf=16))
        preset = Quality(codec=other, preset="ultrafast", crf=16)
        segments += write_segments(source, tmp_path / "other", [6, 12], preset)
        with pytest.raises(VideoError, match=rf"coded differently.*{said}.*Write all segments anew"):
            join_segments(segments, quality=Quality(codec="h264"), **mp4)
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.parametrize("harm", ["missing", "empty", "another"])
def test_a_segment_that_is_none_is_named(tmp_path, harm):
    source = media.make_video(tmp_path / "in.mkv", audio=None)
    quality = Quality().resolved("out.mp4")
    segments = write_segments(source, tmp_path, [0, 6, 12], quality)
    segments[1].unlink()
    if harm != "missing":
        segments[1].write_bytes(source.read_bytes() if harm == "another" else b"")
    with pytest.raises(VideoError, match=r"segment_000001.*Write it again"):
        join_segments(segments, tmp_path / "out.mp4", source=probe(source), quality=quality)
    assert not (tmp_path / "out.mp4").exists()


def test_what_cannot_be_joined_is_refused_before_there_are_segments(tmp_path):
    source = probe(media.make_video(tmp_path / "in.mkv", audio="wavpack"))
    quality = Quality().resolved("out.mp4", source)
    with pytest.raises(VideoError, match=r"Sound coded as wavpack cannot be stored in a \.mp4"):
        check_target(tmp_path / "out.mp4", source=source, quality=quality)
    assert check_target(tmp_path / "out.mp4", source=source, quality=quality, audio=False) == []
    assert check_target(tmp_path / "out.mkv", source=source, quality=quality) == []
    with pytest.raises(VideoError, match="is the file being read"):
        check_target(source.path, source=source, quality=quality, overwrite=True)
    (tmp_path / "out.mkv").write_text("mine")
    with pytest.raises(VideoError, match="already exists"):
        check_target(tmp_path / "out.mkv", source=source, quality=quality)
    assert check_target(tmp_path / "out.mkv", source=source, quality=quality, overwrite=True) == []
    with pytest.raises(VideoError, match="not empty"):
        check_target(tmp_path, source=source, quality=Quality(codec="png"))


def test_one_segment_is_what_a_writer_makes(tmp_path):
    source = media.make_video(tmp_path / "in.mp4", audio_tracks=2)
    info = probe(source)
    copy_in_segments(source, tmp_path / "joined.mp4", [0, 12], quality=Quality())
    with open_writer(tmp_path / "written.mp4", height=48, width=64, source=info) as writer:
        for frame in read_frames(source):
            writer.write(frame.image, frame.time)
    assert (tmp_path / "joined.mp4").read_bytes() == (tmp_path / "written.mp4").read_bytes()
