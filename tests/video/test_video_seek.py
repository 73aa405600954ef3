"""Reading from a remembered place gives the frames, numbers and times of reading from the beginning."""

from fractions import Fraction

import media
import pytest
import torch

from vsr_core.errors import SettingError
from vsr_core.video import Seek, probe, read_frames, scan
from vsr_core.video.timing import timed_frames

X264 = {"preset": "veryfast", "crf": "20"}
SHORT = {**X264, "g": "12", "bf": "3"}
OPEN = {**SHORT, "x264-params": "open-gop=1:scenecut=0"}
MPEG = {"g": "10", "bf": "2", "q": "4"}
FILES = {
    "film.mp4": {"options": SHORT},
    "film.mov": {"options": SHORT},
    "film.mkv": {"options": SHORT},
    "film.ts": {"options": SHORT},
    "film.nut": {"options": SHORT},
    "open.mp4": {"options": OPEN},
    "open.mkv": {"options": OPEN},
    "open.ts": {"options": OPEN},
    "hevc.mp4": {"codec": "libx265", "options": {"preset": "ultrafast", "x265-params": "log-level=error:keyint=12"}},
    "hevc.mkv": {"codec": "libx265", "options": {"preset": "ultrafast", "x265-params": "log-level=error:keyint=12"}},
    "av1.mkv": {"codec": "libsvtav1", "options": {"preset": "10", "g": "12"}},
    "mpeg2.mpg": {"codec": "mpeg2video", "options": MPEG, "audio": "mp2"},
    "mpeg2.ts": {"codec": "mpeg2video", "options": MPEG},
    "xvid.avi": {"codec": "mpeg4", "options": MPEG, "audio": "libmp3lame"},
    "intra.avi": {"codec": "mjpeg", "pixel_format": "yuvj420p", "audio": None},
    "vp9.webm": {"codec": "libvpx-vp9", "options": {"g": "12", "speed": "8"}, "audio": "libopus"},
    "raw.h264": {"options": SHORT, "audio": None},
}
VARIABLE = [0]
for step in [40, 7, 73, 1, 179, 700, 40, 40, 33, 34] * 5:
    VARIABLE.append(VARIABLE[-1] + step)
"""Times of frames in milliseconds."""


def same(found, expected):
    return len(found) == len(expected) and all(
        a.time == b.time and torch.equal(a.image, b.image) for a, b in zip(found, expected)
    )


@pytest.mark.parametrize("name", FILES)
def test_every_place_leads_to_the_same_frames(tmp_path, name):
    file = media.make_video(tmp_path / name, frames=50, **FILES[name])
    line, whole = scan(file), list(read_frames(file))
    assert line.times == tuple(frame.time for frame in whole)
    for start in (0, 1, 11, 12, 13, 23, 24, 25, 36, 49):
        assert same(list(read_frames(file, start, start + 6, seek=line.seeks[start])), whole[start : start + 6])
    assert same(list(read_frames(file, 20, seek=line.seeks[13])), whole[20:])


@pytest.mark.parametrize("name", ["film.mp4", "film.mov", "film.mkv", "film.ts", "open.ts"])
def test_a_variable_frame_rate_keeps_its_times_from_every_place(tmp_path, name):
    file = media.make_video(tmp_path / name, frames=51, times=VARIABLE, **FILES[name])
    line, whole = scan(file), list(read_frames(file))
    shown = [float(frame.time - whole[0].time) for frame in whole]
    assert shown == pytest.approx([time / 1000 for time in VARIABLE], abs=0.001)
    for start in (1, 12, 17, 30, 50):
        assert same(list(read_frames(file, start, start + 9, seek=line.seeks[start])), whole[start : start + 9])


@pytest.mark.parametrize("name", ["film.mp4", "film.mov", "film.mkv", "film.ts", "open.mp4", "open.mkv", "hevc.mp4"])
def test_common_files_are_not_read_from_the_beginning(tmp_path, name):
    file = media.make_video(tmp_path / name, frames=50, **FILES[name])
    seek = scan(file).seeks[40]
    assert seek.key > scan(file).seeks[0].key
    whole = list(timed_frames(file))
    data = bytearray(file.read_bytes())
    middle = len(data) * 2 // 5
    data[middle : middle + 60] = bytes(60)
    file.write_bytes(data)  # what lies between is not looked at
    found = list(timed_frames(file, 40, 44, seek))
    assert [frame.number for frame in found] == [40, 41, 42, 43]
    assert [frame.time for frame in found] == [frame.time for frame in whole[40:44]]


def test_a_file_that_changed_is_read_from_the_beginning(tmp_path):
    options = {"frames": 50, "options": SHORT}
    seek = scan(media.make_video(tmp_path / "a.mp4", clip=media.gratings(50, seed=1), **options)).seeks[30]
    other = media.make_video(tmp_path / "b.mp4", **options)
    assert same(list(read_frames(other, 30, 33, seek=seek)), list(read_frames(other, 30, 33)))


def test_a_place_after_the_first_frame_is_refused(tmp_path):
    file = media.make_video(tmp_path / "a.mp4")
    with pytest.raises(SettingError, match="Frame 3 comes before frame 5"):
        next(read_frames(file, 3, seek=scan(file).seeks[5]))


def test_a_place_survives_a_file_of_json(tmp_path):
    import json

    line = scan(media.make_video(tmp_path / "a.mp4", rate=Fraction(24000, 1001)))
    assert [Seek.from_data(json.loads(json.dumps(seek.as_data()))) for seek in line.seeks] == list(line.seeks)


def test_a_rotated_video_is_upright_from_every_place(tmp_path):
    file = media.rotate(media.make_video(tmp_path / "a.mp4", frames=30, options=SHORT), 90)
    [frame] = read_frames(file, 20, 21, seek=scan(file).seeks[20])
    assert tuple(frame.image.shape) == (3, probe(file).height, probe(file).width) == (3, 64, 48)
    assert torch.equal(frame.image, list(read_frames(file))[20].image)
