"""Files that are no video, or not all of one, are refused with a sentence that says what is wrong."""

import av
import media
import pytest

from vsr_core.errors import VideoError
from vsr_core.video import probe, read_frames


def read_until_error(file, match, **numbers):
    """Return how many frames come before the error."""
    count = 0
    with pytest.raises(VideoError, match=match):
        for _ in read_frames(file, **numbers):
            count += 1
    return count


def test_a_missing_file_is_named(tmp_path):
    for function in (probe, read_frames):
        with pytest.raises(VideoError, match=r"clip\.mp4 does not exist"):
            list(function(tmp_path / "clip.mp4"))


@pytest.mark.parametrize("content", [b"", b"This is a letter, not a video.\n" * 40, bytes(5000)])
def test_a_file_that_is_no_video_is_named(tmp_path, content):
    file = tmp_path / "letter.mp4"
    file.write_bytes(content)
    for function in (probe, read_frames):
        with pytest.raises(VideoError, match=r"letter\.mp4 cannot be opened as a video"):
            list(function(file))


def test_a_file_with_sound_only_says_so(tmp_path):
    file = media.make_sound(tmp_path / "song.m4a")
    for function in (probe, read_frames):
        with pytest.raises(VideoError, match=r"song\.m4a contains only sound"):
            list(function(file))


def test_a_cover_picture_does_not_make_a_song_a_video(tmp_path):
    file = tmp_path / "song.mp3"
    cover = media.write_image(tmp_path / "cover.png", media.gratings(1, 16, 16)[0])
    with av.open(str(file), "w") as out, av.open(str(cover)) as image:
        picture = out.add_stream_from_template(image.streams.video[0])
        picture.disposition = av.stream.Disposition.attached_pic.value
        tone = out.add_stream("libmp3lame", rate=media.SAMPLE_RATE)
        media.mux_tone(out, tone, 0.2)
        packet = next(image.demux(video=0))
        packet.stream = picture
        out.mux(packet)
    with pytest.raises(VideoError, match="contains only sound"):
        probe(file)


def test_a_video_without_a_frame_is_refused(tmp_path):
    file = tmp_path / "none.mkv"
    with av.open(str(file), "w") as out:
        stream = out.add_stream("libx264", rate=24)
        stream.height, stream.width, stream.pix_fmt = 32, 32, "yuv420p"
        media.mux_tone(out, out.add_stream("aac", rate=media.SAMPLE_RATE), 0.2)
    for function in (probe, read_frames):
        with pytest.raises(VideoError, match="no frame that can be decoded|cannot be opened"):
            list(function(file))


def test_a_file_cut_before_its_index_cannot_be_opened(tmp_path):
    file = media.cut_off(media.make_video(tmp_path / "clip.mp4", frames=40), 0.6)
    with pytest.raises(VideoError, match=r"clip\.mp4 cannot be opened"):
        probe(file)


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.avi"])
@pytest.mark.parametrize("share", [0.5, 0.8, 0.95])
@pytest.mark.parametrize("audio", [None, "libmp3lame"])
def test_a_file_cut_in_the_middle_gives_its_whole_frames_then_an_error_with_their_number(tmp_path, name, share, audio):
    codecs = {"codec": "mjpeg", "pixel_format": "yuvj420p"} if name == "clip.avi" else {}
    whole = media.make_video(
        tmp_path / name,
        frames=60,
        height=96,
        width=128,
        audio=audio,
        container_options={"movflags": "+faststart"} if name == "clip.mp4" else {},
        **codecs,
    )
    assert len(list(read_frames(whole))) == 60
    count = read_until_error(media.cut_off(whole, share), "is damaged at frame")
    assert 0 < count < 60
    assert read_until_error(whole, f"damaged at frame {count}:.* its first {count} frames only") == count
    assert len(list(read_frames(whole, stop=count))) == count


def test_damage_in_the_middle_is_an_error_at_that_frame(tmp_path):
    file = media.make_video(tmp_path / "clip.mov", frames=12, codec="png", pixel_format="rgb24", audio=None)
    data = bytearray(file.read_bytes())
    positions = [i for i in range(len(data)) if data[i : i + 4] == b"IHDR"]
    data[positions[5] : positions[5] + 64] = bytes(64)
    file.write_bytes(data)
    assert read_until_error(file, "is damaged at frame 5") == 5
    assert len(list(read_frames(file, stop=5))) == 5


def test_a_size_that_changes_on_the_way_is_refused(tmp_path):
    parts = [media.make_video(tmp_path / f"{n}.h264", height=48 + 16 * n, frames=12, audio=None) for n in (0, 1)]
    file = tmp_path / "both.h264"
    file.write_bytes(b"".join(part.read_bytes() for part in parts))
    assert read_until_error(file, "changes its size at frame 12") == 12
