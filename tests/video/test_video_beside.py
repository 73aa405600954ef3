"""What a file holds beside its pictures is in the result, packet for packet, or is named as left out."""

from fractions import Fraction

import av
import media
import pytest
from video.parts import CHAPTERS, copy_in_segments, make_rich, packets, times

from vsr_core.errors import VideoError
from vsr_core.video import Quality, check_target, probe, read_frames, scan

BOUNDS = [0, 20, 21, 48]


@pytest.fixture(scope="module")
def rich(tmp_path_factory):
    return make_rich(tmp_path_factory.mktemp("rich") / "rich.mkv")


def near(found, expected):
    return [float(time) for time in found] == pytest.approx([float(time) for time in expected], abs=0.001)


def chapters(path):
    with av.open(str(path)) as container:
        return [
            (
                chapter["metadata"]["title"],
                *(round(chapter[end] * chapter["time_base"] * 1000) for end in ("start", "end")),
            )
            for chapter in container.chapters()
        ]


def labels(path, kind):
    """Return language, title and role of the tracks of one kind."""
    with av.open(str(path)) as container:
        tracks = [stream for stream in container.streams if stream.type == kind]
        names = [stream.metadata.get("title") or stream.metadata.get("name") for stream in tracks]
        return [(t.metadata.get("language"), name, t.disposition.value) for t, name in zip(tracks, names)]


def tags(path):
    with av.open(str(path)) as container:
        return {name.lower(): text for name, text in container.metadata.items()}


def attached(path):
    """Return the files inside a file, and the pictures that stand for it."""
    with av.open(str(path)) as container:
        files = {stream.name: stream.data for stream in container.streams if stream.type == "attachment"}
        covers = [s for s in container.streams.video if s.disposition & av.stream.Disposition.attached_pic]
        return files, [bytes(next(container.demux(cover))) for cover in covers]


def test_matroska_keeps_everything(tmp_path, rich):
    target = tmp_path / "out.mkv"
    assert copy_in_segments(rich, target, BOUNDS) == []
    for kind, number in (("audio", 0), ("audio", 1), ("subtitle", 0)):
        assert packets(target, kind, number) == packets(rich, kind, number)
    assert labels(target, "audio") == labels(rich, "audio")
    assert labels(target, "subtitle") == labels(rich, "subtitle")
    assert chapters(target) == chapters(rich) == list(CHAPTERS)
    assert attached(target) == attached(rich)
    assert {name: tags(target)[name] for name in ("title", "artist", "mood")} == {
        "title": "The film",
        "artist": "Somebody",
        "mood": "quiet",
    }
    assert times(target) == times(rich)


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_what_other_files_cannot_hold_is_named(tmp_path, rich, suffix):
    target = tmp_path / f"out{suffix}"
    notes = copy_in_segments(rich, target, BOUNDS)
    left = "subtitle track 3 (srt, eng), attachment track 4 (letters.ttf)" + ", cover 5 (png, cover.png)" * (
        suffix == ".mov"
    )
    assert notes == [
        f"Not carried over into a {suffix} file: {left}. Write to .mkv to keep more.",
        f"Left out, because a {suffix} file cannot hold them: the tags MOOD.",
    ]
    for number in (0, 1):
        assert [data for *_, data in packets(target, "audio", number)] == [
            data for *_, data in packets(rich, "audio", number)
        ]
        assert near(times(target, "audio", number), times(rich, "audio", number))
    assert [label[:2] for label in labels(target, "audio")] == [("eng", "Original"), ("ger", "Kommentar")]
    assert chapters(target) == list(CHAPTERS)
    assert tags(target)["title"] == "The film"
    assert (attached(target)[1] == attached(rich)[1]) == (suffix == ".mp4")


def test_names_of_tracks_and_covers_survive_from_one_kind_of_file_to_another(tmp_path, rich):
    copy_in_segments(rich, tmp_path / "a.mp4", BOUNDS)
    assert copy_in_segments(tmp_path / "a.mp4", tmp_path / "b.mp4", BOUNDS) == []
    assert copy_in_segments(tmp_path / "b.mp4", tmp_path / "c.mkv", BOUNDS) == []
    for name in ("b.mp4", "c.mkv"):
        assert labels(tmp_path / name, "audio") == labels(tmp_path / "a.mp4", "audio")
        assert chapters(tmp_path / name) == list(CHAPTERS)
        assert attached(tmp_path / name)[1] == attached(rich)[1]


def test_what_will_be_left_out_is_known_before(tmp_path, rich):
    info = probe(rich)
    [note] = check_target(tmp_path / "a.mp4", source=info, quality=Quality(codec="h264"))
    assert "subtitle track 3 (srt, eng)" in note


def test_a_range_takes_its_part_of_everything(tmp_path, rich):
    line = scan(rich, 10, 30)
    target = tmp_path / "out.mkv"
    copy_in_segments(rich, target, [10, 25, 30], trimmed=True, stop=line.end)
    begin, length = Fraction(10, 24), Fraction(20, 24)
    assert near([frame.time for frame in read_frames(target)], [Fraction(number, 24) for number in range(20)])
    heard = [(time - begin, data) for time, _, data in packets(rich, "audio", 1) if 0 <= time - begin < length]
    assert [data for *_, data in packets(target, "audio", 1)] == [data for _, data in heard]
    assert near(times(target, "audio", 1), [time for time, _ in heard])
    first, second = packets(target, "subtitle")
    assert near(first[:2], [0, 0.7 - begin])
    assert near(second[:2], [0.9 - begin, length - (0.9 - begin)])
    assert chapters(target) == [("Beginning", 0, 383), ("End", 383, 833)]


@pytest.mark.parametrize("kinds", [("mp4", "mp4"), ("mov", "mp4"), ("mkv", "mp4"), ("mkv", "mkv"), ("mp4", "mov")])
def test_sound_longer_than_the_pictures_stays_whole_and_in_step(tmp_path, kinds):
    source = media.make_video(tmp_path / f"in.{kinds[0]}", frames=12, audio_seconds=2, audio_tracks=2)
    target = tmp_path / f"out.{kinds[1]}"
    assert copy_in_segments(source, target, [0, 5, 12]) == []
    for number in (0, 1):
        copies, originals = packets(target, "audio", number), packets(source, "audio", number)
        assert [data for *_, data in copies] == [data for *_, data in originals]
        assert near(times(target, "audio", number), times(source, "audio", number))
    assert len(copies) > 90
    assert [frame.time for frame in read_frames(target)] == [frame.time for frame in read_frames(source)]


def test_a_file_without_sound_and_sound_that_is_not_wanted(tmp_path):
    mute = media.make_video(tmp_path / "mute.mp4", audio=None)
    copy_in_segments(mute, tmp_path / "a.mp4", [0, 5, 12])
    copy_in_segments(media.make_video(tmp_path / "in.mp4"), tmp_path / "b.mp4", [0, 5, 12], audio=False)
    assert [probe(tmp_path / name).has_audio for name in ("a.mp4", "b.mp4")] == [False, False]


def test_pictures_that_start_late_stay_in_step_with_the_sound(tmp_path):
    stamps = [200, 240, 280, 320]
    source = media.make_video(tmp_path / "in.mp4", frames=4, times=stamps, audio_seconds=0.4)
    copy_in_segments(source, tmp_path / "out.mp4", [0, 2, 4])
    assert times(tmp_path / "out.mp4") == [Fraction(stamp, 1000) for stamp in stamps]
    assert near(times(tmp_path / "out.mp4", "audio"), times(source, "audio"))


def test_pictures_and_sound_are_interleaved_over_segments(tmp_path):
    source = media.make_video(tmp_path / "in.mp4", frames=96)
    copy_in_segments(source, tmp_path / "out.mp4", [0, 30, 60, 96])
    with av.open(str(tmp_path / "out.mp4")) as container:
        kinds = "".join(packet.stream.type[0] for packet in container.demux() if packet.dts is not None)
    assert max(len(run) for run in kinds.replace("v", " ").split()) < 20


def test_the_limits_of_an_hdr_display_are_named(tmp_path):
    limits = "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"
    source = media.make_video(
        tmp_path / "in.mkv",
        frames=3,
        codec="libx265",
        pixel_format="yuv420p10le",
        options={"x265-params": f"log-level=error:{limits}"},
        tags={"colorspace": 9, "color_primaries": 9, "color_trc": 16},
    )
    notes = copy_in_segments(source, tmp_path / "out.mp4", [0, 3], quality=Quality(codec="hevc", preset="ultrafast"))
    assert notes == ["Left out: the brightness limits of the HDR display that the input was made on."]
    assert probe(tmp_path / "out.mp4").color == probe(source).color


def test_a_second_film_is_named(tmp_path):
    single = media.make_video(tmp_path / "single.mkv", audio=None)
    with av.open(str(single)) as film, av.open(str(tmp_path / "in.mkv"), "w") as out:
        streams = [out.add_stream_from_template(film.streams.video[0], opaque=True) for _ in range(2)]
        found = [packet for packet in film.demux() if packet.size]
        for packet in found:
            copy = av.Packet(bytes(packet))
            copy.pts, copy.dts, copy.time_base = packet.pts, packet.dts, packet.time_base
            copy.is_keyframe, copy.stream, packet.stream = packet.is_keyframe, streams[1], streams[0]
            out.mux([packet, copy])
    [note] = copy_in_segments(tmp_path / "in.mkv", tmp_path / "out.mkv", [0, 12])
    assert note == "Not carried over into a .mkv file: video track 1 (h264)."


def phone_video(path):
    """Write a .mov with a time code and the tags of a phone."""
    plain = media.make_video(path.with_name("plain.mp4"), frames=12)
    with av.open(str(plain)) as film, av.open(str(path), "w", options={"movflags": "use_metadata_tags"}) as out:
        streams = {stream: out.add_stream_from_template(stream, opaque=True) for stream in film.streams}
        out.metadata.update({"timecode": "01:02:03:04", "com.apple.quicktime.make": "Apple"})
        out.metadata["creation_time"] = "2024-05-06T07:08:09.000000Z"
        for packet in film.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream]
                out.mux(packet)
    return path


@pytest.mark.parametrize("suffix", [".mov", ".mp4", ".mkv"])
def test_the_time_code_date_and_maker_of_a_phone_video_are_kept(tmp_path, suffix):
    source = phone_video(tmp_path / "phone.mov")
    assert copy_in_segments(source, tmp_path / f"out{suffix}", [0, 5, 12]) == []
    said = tags(tmp_path / f"out{suffix}")
    assert (said["timecode"], said["com.apple.quicktime.make"]) == ("01:02:03:04", "Apple")
    assert said["creation_time"] == "2024-05-06T07:08:09.000000Z"
    if suffix != ".mkv":
        with av.open(str(tmp_path / f"out{suffix}")) as container:
            assert [s.metadata["timecode"] for s in container.streams if s.type == "data"] == ["01:02:03:04"]


def test_sound_before_the_damage_is_kept(tmp_path):
    whole = media.make_video(tmp_path / "in.mkv", frames=60, height=96, width=128)
    heard = packets(whole, "audio")
    media.cut_off(whole, 0.6)
    line = scan(whole, on_error="finish")
    assert 0 < line.frames < 60
    copy_in_segments(whole, tmp_path / "out.mkv", [0, line.frames], damaged=True)
    kept = packets(tmp_path / "out.mkv", "audio")
    assert 0 < len(kept) < len(heard)
    assert kept == heard[: len(kept)]
    assert len(times(tmp_path / "out.mkv")) == line.frames


def test_sound_the_target_cannot_hold_is_an_error_and_leaves_nothing(tmp_path):
    source = media.make_video(tmp_path / "in.mkv", audio="wavpack")
    with pytest.raises(VideoError, match=r"Sound coded as wavpack cannot be stored in a \.mp4 file.*\.mkv"):
        copy_in_segments(source, tmp_path / "out.mp4", [0, 12])
    assert sorted(file.name for file in tmp_path.iterdir()) == ["in.mkv", "out.mp4.parts"]
