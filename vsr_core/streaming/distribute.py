"""Upscale many videos by handing their segments to a pool of workers."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import NamedTuple, Protocol

from ..contract import Restorer
from ..errors import VSRError
from ..runtime import Runtime
from ..video import probe
from .engine import Result, finish, prepare
from .job import Job
from .plan import Segment
from .work import Work


class Task(NamedTuple):
    """One segment of one video."""

    work: Work
    segment: Segment


class Pool(Protocol):
    """Workers that run segments, several at a time."""

    def run(self, tasks: Iterable[Task], seen: Callable[[int], None]) -> Iterator[tuple[Task, VSRError | None]]:
        """Yield tasks as they end, with what went wrong. `tasks` are taken when a worker is free.

        `seen` is told now and then how many frames of the tasks at hand are written.
        """


def upscale_videos(
    jobs: Iterable[Job],
    pool: Pool,
    restorer: Restorer,
    runtime: Runtime,
    *,
    restart: bool = False,
    overwrite: bool = False,
    seen: Callable[[int, int], None] = lambda done, total: None,
) -> Iterator[tuple[Job, Result | VSRError]]:
    """Yield every job with its result or what went wrong, as they end; an error in one does not stop the others.

    Unfinished work goes on unless `restart` is given. `restorer` and `runtime` serve to plan only. `seen` is told how
    many frames of all videos are done, and how many there are.
    """
    how = {"resume": not restart, "restart": restart, "overwrite": overwrite}
    videos = _Videos(list(jobs), seen)
    try:
        for task, error in pool.run(videos.tasks(lambda job: prepare(job, restorer, runtime, **how)), videos.report):
            videos.end(task, error)
            yield from videos.take_ended()
        yield from videos.take_ended()
    finally:
        videos.leave()


class _Video:
    """A job that was begun, while its segments are done elsewhere."""

    def __init__(self, stack: ExitStack, work: Work):
        self.stack, self.work, self.missing = stack, work, work.missing()
        self.frames = work.manifest.frames - sum(segment.frames for segment in self.missing)
        self.running, self.all_given, self.error = 0, False, None

    def end(self, segment: Segment, error: VSRError | None) -> None:
        self.running -= 1
        self.error = self.error or error
        self.frames += segment.frames if error is None else 0

    @property
    def over(self) -> bool:
        """Return whether nothing more happens to its segments."""
        return not self.running and self.all_given


class _Videos:
    """All videos: those at hand by their work folders, those that have ended, and how far all are."""

    def __init__(self, jobs: list[Job], seen: Callable[[int, int], None]):
        self.jobs, self.seen, self.done = jobs, seen, 0
        self.expected = {job.target: _expected(job) for job in jobs}
        self.opened: dict[Path, _Video] = {}
        self.ended: deque[tuple[Job, Result | VSRError]] = deque()

    def tasks(self, begin: Callable[[Job], AbstractContextManager[Work]]) -> Iterator[Task]:
        """Yield the segments that are to be done; videos are begun when those before them are given away."""
        for job in self.jobs:
            try:
                video = self._open(begin(job))
            except VSRError as error:
                self._end(job, error)
                continue
            for segment in video.missing:
                if video.error is None:
                    video.running += 1
                    yield Task(video.work, segment)
            video.all_given = True
            self._close_if_over(video)

    def end(self, task: Task, error: VSRError | None) -> None:
        """Note that a segment is done, or why not."""
        video = self.opened[task.work.folder]
        video.end(task.segment, error)
        self._close_if_over(video)

    def take_ended(self) -> Iterator[tuple[Job, Result | VSRError]]:
        """Yield what came of videos since the last call."""
        while self.ended:
            yield self.ended.popleft()

    def _open(self, begun: AbstractContextManager[Work]) -> _Video:
        with ExitStack() as stack:
            video = _Video(stack, stack.enter_context(begun))
            video.stack = stack.pop_all()
        self.opened[video.work.folder] = video
        self.expected[video.work.job.target] = video.work.manifest.frames
        return video

    def _close_if_over(self, video: _Video) -> None:
        """Join the segments of a video of which nothing runs any more, unless one failed, and give up its lock."""
        if not video.over:
            return
        del self.opened[video.work.folder]
        try:
            with video.stack:
                if video.error is not None:
                    raise video.error
                self._end(video.work.job, finish(video.work))
        except VSRError as error:
            self._end(video.work.job, error)

    def _end(self, job: Job, outcome: Result | VSRError) -> None:
        self.ended.append((job, outcome))
        if isinstance(outcome, VSRError):
            del self.expected[job.target]
        else:
            self.done += outcome.frames

    def leave(self) -> None:
        """Give up the locks of all videos; complete segments stay."""
        for video in self.opened.values():
            video.stack.close()

    def report(self, running: int) -> None:
        """Tell how far all are, given the frames of segments at hand that are written."""
        done = self.done + sum(video.frames for video in self.opened.values()) + running
        self.seen(done, sum(self.expected.values()))


def _expected(job: Job) -> int:
    """Return the frames that the header promises; 0 for an input that cannot be read."""
    try:
        frames = probe(job.source).frames or 0
    except VSRError:
        return 0
    start, stop = job.frames
    return max(0, min(frames, frames if stop is None else stop) - start)
