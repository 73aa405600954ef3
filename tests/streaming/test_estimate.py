"""An estimate is measured on a short window, at the real size, and writes nothing."""

import pytest
from media import gratings, make_images
from restorers import Pointwise, Watched
from streaming.jobs import job, names

from vsr_core.errors import SettingError, VideoError
from vsr_core.streaming import TargetSize, upscale_video
from vsr_core.streaming.estimate import estimate, repeated
from vsr_core.video import Quality, probe


def expect(source, target, **settings):
    return estimate(job(source, target, **settings), Pointwise(), Watched())


def test_it_has_every_figure(video, tmp_path):
    found = expect(video, tmp_path / "out.mp4")
    assert (found.frames, found.output.height, found.output.width) == (30, 72, 104)
    assert found.sample == 5
    assert (found.before.shape, found.after.shape) == ((3, 18, 26), (3, 72, 104))
    assert found.seconds > 0
    assert found.ram > 2**26
    assert found.vram == 0
    assert names(tmp_path) == []


def test_the_size_of_the_file_is_about_that_of_the_result(video, tmp_path):
    lossless = {"quality": Quality(codec="ffv1")}
    found = expect(video, tmp_path / "out.mkv", **lossless)
    done = upscale_video(job(video, tmp_path / "out.mkv", **lossless), Pointwise(), Watched())
    assert 0.5 < found.bytes / done.path.stat().st_size < 2


def test_range_and_size_are_those_of_the_job(video, tmp_path):
    found = expect(video, tmp_path / "out.mp4", frames=(4, 10), size=TargetSize(height=36, resize="before"))
    assert (found.frames, found.output.height, found.output.width, found.output.input_height) == (6, 36, 52, 9)


def test_short_segments_cost_more_because_their_context_is_computed_twice(video, tmp_path):
    long, short = (
        repeated(job(video, tmp_path / "out.mp4", segment_seconds=seconds), probe(video), Pointwise(), 30)
        for seconds in (100, 0.1)
    )
    assert long == 1
    assert short > 1.2


def test_a_folder_of_images_is_estimated_too(tmp_path):
    source = make_images(tmp_path / "in", gratings(3, 16, 20))
    found = expect(source, tmp_path / "out")
    assert (found.frames, found.quality.codec) == (3, "png")
    assert found.bytes > 0
    assert names(tmp_path) == ["in"]


def test_it_is_read_as_a_table(video, tmp_path):
    lines = str(expect(video, tmp_path / "out.mp4")).splitlines()
    assert lines[2] == "result       30 frames of 104x72, h264, crf 16, preset ultrafast"
    assert [line.split("  ")[0] for line in lines] == ["time", "memory", "result", "size", "measured on"]


@pytest.mark.parametrize(
    ("settings", "error"),
    [({"frames": (99, None)}, SettingError), ({"quality": Quality(codec="ffv1")}, VideoError)],
)
def test_it_refuses_what_the_job_would_refuse(video, tmp_path, settings, error):
    with pytest.raises(error):
        expect(video, tmp_path / "out.mp4", **settings)
