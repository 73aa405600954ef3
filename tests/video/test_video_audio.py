"""Sound is copied packet for packet, at its time."""

import av
import media
import pytest

from vsr_core.errors import VideoError
from vsr_core.video import open_writer, probe, read_frames


def copy_video(source, target, *, start=0, stop=None, **options):
    info = probe(source)
    with open_writer(target, height=info.height, width=info.width, source=info, **options) as writer:
        for frame in read_frames(source, start, stop):
            writer.write(frame.image, frame.time)
    return target


@pytest.mark.parametrize("kinds", [("mp4", "mp4"), ("mov", "mp4"), ("mp4", "mov"), ("mkv", "mp4")])
def test_every_packet_is_copied_unchanged_at_its_time(tmp_path, kinds):
    source = media.make_video(tmp_path / f"in.{kinds[0]}", frames=30)
    copies = media.audio_packets(copy_video(source, tmp_path / f"out.{kinds[1]}"))
    originals = media.audio_packets(source)
    assert [data for _, data in copies] == [data for _, data in originals]
    assert [time for time, _ in copies] == pytest.approx([time for time, _ in originals], abs=0.001)


def test_matroska_loses_only_the_encoder_delay_and_pictures_stay_at_zero(tmp_path):
    source = media.make_video(tmp_path / "in.mp4", frames=30)
    target = copy_video(source, tmp_path / "out.mkv")
    audible = [(time, data) for time, data in media.audio_packets(source) if time >= 0]
    copies = media.audio_packets(target)
    assert [data for _, data in copies] == [data for _, data in audible]
    assert [time for time, _ in copies] == pytest.approx([time for time, _ in audible], abs=0.001)
    assert next(read_frames(target)).time == 0


def test_sound_longer_than_the_pictures_is_kept_whole(tmp_path):
    source = media.make_video(tmp_path / "in.mp4", frames=6, audio_seconds=2)
    target = copy_video(source, tmp_path / "out.mp4")
    assert len(media.audio_packets(target)) == len(media.audio_packets(source)) > 90


def test_a_range_takes_along_the_sound_of_its_time_shifted_to_zero(tmp_path):
    source = media.make_video(tmp_path / "in.mp4", frames=48)
    target = copy_video(source, tmp_path / "out.mp4", start=12, stop=36, trimmed=True)
    expected = [(t - 0.5, data) for t, data in media.audio_packets(source) if 0.5 <= t < 1.5]
    copies = media.audio_packets(target)
    assert [data for _, data in copies] == [data for _, data in expected]
    assert [time for time, _ in copies] == pytest.approx([time for time, _ in expected], abs=0.001)
    assert [frame.time * 24 for frame in read_frames(target)] == list(range(24))


def test_pictures_that_start_later_than_the_sound_stay_in_step(tmp_path):
    times = [200, 240, 280, 320]
    source = media.make_video(tmp_path / "in.mp4", frames=4, times=times, audio_seconds=0.4)
    target = copy_video(source, tmp_path / "out.mp4")
    assert [round(frame.time * 1000) for frame in read_frames(target)] == times
    assert media.audio_packets(target)[0][0] == pytest.approx(media.audio_packets(source)[0][0], abs=0.001)


def test_pictures_and_sound_are_interleaved(tmp_path):
    source = media.make_video(tmp_path / "in.mp4", frames=96)
    with av.open(str(copy_video(source, tmp_path / "out.mp4"))) as container:
        kinds = [packet.stream.type for packet in container.demux() if packet.dts is not None]
    longest = max(len(run) for run in "".join(kind[0] for kind in kinds).replace("v", " ").split())
    assert longest < 20


def test_a_file_without_sound_gives_one_without_sound(tmp_path):
    assert not probe(copy_video(media.make_video(tmp_path / "in.mp4", audio=None), tmp_path / "out.mp4")).has_audio


def test_sound_is_left_out_on_request(tmp_path):
    assert not probe(copy_video(media.make_video(tmp_path / "in.mp4"), tmp_path / "o.mp4", audio=False)).has_audio


def test_every_language_is_kept(tmp_path):
    source = media.make_video(tmp_path / "in.mkv", audio_tracks=2)
    with av.open(str(copy_video(source, tmp_path / "out.mp4"))) as container:
        assert len(container.streams.audio) == 2
        assert all(len(list(container.decode(stream))) > 20 for stream in container.streams.audio[:1])


def test_a_codec_the_container_cannot_hold_is_named_with_a_way_out(tmp_path):
    source = media.make_video(tmp_path / "in.mkv", audio="wavpack")
    with pytest.raises(VideoError, match=r"Sound coded as wavpack cannot be stored in a \.mp4 file.*\.mkv"):
        copy_video(source, tmp_path / "out.mp4")
    assert [file.name for file in tmp_path.iterdir()] == ["in.mkv"]
    assert probe(copy_video(source, tmp_path / "out.mkv")).has_audio
