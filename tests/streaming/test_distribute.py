"""Many videos through a pool of workers: segments in any order, and an error in one video leaves the others alone."""

from itertools import islice
from pathlib import Path

import pytest
from restorers import Pointwise, Watched
from streaming.jobs import job, names, upscale

from vsr_core.errors import VideoError, VSRError
from vsr_core.streaming import Result, prepare, run_segments, work_folder
from vsr_core.streaming.distribute import upscale_videos


class InBatches:
    """Takes a few tasks at a time and does the last one first, in this process."""

    def __init__(self, size: int = 3, fails_at=lambda task: False):
        self.size, self.fails_at = size, fails_at

    def run(self, tasks, seen):
        tasks = iter(tasks)
        while batch := list(islice(tasks, self.size)):
            for task in reversed(batch):
                yield task, self._outcome(task)
                seen(0)

    def _outcome(self, task) -> VSRError | None:
        if self.fails_at(task):
            return VideoError("The worker's disk is full.")
        return run_segments(task.work, [task.segment], Pointwise(), Watched())


@pytest.fixture
def jobs(video, tmp_path) -> list:
    return [job(video, tmp_path / name) for name in ("a.mp4", "b.mov")]


def outcomes(jobs, pool, **how) -> dict[str, Result | VSRError]:
    found = upscale_videos(jobs, pool, Pointwise(), Watched(), **how)
    return {done.target.name: outcome for done, outcome in found}


@pytest.mark.parametrize("size", [1, 3, 100])
def test_the_results_are_those_of_one_process(jobs, video, tmp_path, size):
    found = outcomes(jobs, InBatches(size))
    assert {name: result.frames for name, result in found.items()} == {"a.mp4": 30, "b.mov": 30}
    assert names(tmp_path) == ["a.mp4", "b.mov"]
    for name in ("a.mp4", "b.mov"):
        alone = upscale(video, tmp_path / f"alone_{name}").path
        assert (tmp_path / name).read_bytes() == alone.read_bytes()


def test_a_video_with_a_failed_segment_is_kept_for_later_and_the_others_are_done(jobs, tmp_path):
    found = outcomes(jobs, InBatches(1, lambda task: task.work.job == jobs[0] and task.segment.index == 2))
    assert isinstance(found["a.mp4"], VideoError)
    assert "disk is full" in str(found["a.mp4"])
    assert "2 of 4 segments are kept" in str(found["a.mp4"])
    assert found["b.mov"].frames == 30
    assert names(tmp_path) == ["a.mp4.parts", "b.mov"]
    assert outcomes(jobs[:1], InBatches())["a.mp4"].resumed == 2


def test_a_video_that_cannot_be_read_fails_alone(jobs, tmp_path):
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    found = outcomes([job(tmp_path / "broken.mp4", tmp_path / "c.mp4"), *jobs], InBatches())
    assert isinstance(found["c.mp4"], VideoError)
    assert [found[name].frames for name in ("a.mp4", "b.mov")] == [30, 30]


def test_work_that_is_complete_is_joined_without_a_worker(jobs):
    with prepare(jobs[0], Pointwise(), Watched()) as work:
        run_segments(work, work.segments, Pointwise(), Watched())
    found = outcomes(jobs[:1], InBatches(fails_at=lambda task: True))
    assert (found["a.mp4"].frames, found["a.mp4"].resumed) == (30, 4)


def test_stopping_gives_up_the_locks_and_keeps_what_is_done(jobs, tmp_path):
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        outcomes(jobs, InBatches(1), seen=stop)
    assert (work_folder(tmp_path / "a.mp4") / "manifest.json").is_file()
    found = outcomes(jobs, InBatches())
    assert (found["a.mp4"].resumed, found["b.mov"].resumed) == (1, 0)


def test_progress_counts_the_frames_of_all_videos(jobs):
    reports: list[tuple[int, int]] = []
    outcomes(jobs, InBatches(), seen=lambda *report: reports.append(report))
    assert reports == sorted(reports)
    assert reports[-1] == (60, 60)


def test_unfinished_work_is_begun_anew_where_that_is_asked_for(jobs, tmp_path):
    outcomes(jobs[:1], InBatches(1, lambda task: task.segment.index == 2))
    assert outcomes(jobs[:1], InBatches(), restart=True)["a.mp4"].resumed == 0


def test_a_result_that_is_there_already_is_left_alone(jobs, tmp_path):
    Path(tmp_path / "a.mp4").write_bytes(b"mine")
    found = outcomes(jobs, InBatches())
    assert "already exists" in str(found["a.mp4"])
    assert (tmp_path / "a.mp4").read_bytes() == b"mine"
