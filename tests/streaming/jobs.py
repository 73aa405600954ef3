"""Small jobs, and what came of them."""

from hashlib import blake2b
from pathlib import Path

from restorers import Pointwise, Watched

from vsr_core.restore import Settings
from vsr_core.streaming import Job, Result, upscale_video
from vsr_core.tiling import Tiling
from vsr_core.video import Quality, read_frames

FAST = Quality(codec="h264", preset="ultrafast")


class Stopped(Exception):
    """The user asked to stop."""


def job(source: Path, target: Path, *, seed: int = 0, window: int = 5, **others) -> Job:
    """Return a job of half a second per segment."""
    settings = Settings(tiling=Tiling(window=window, overlap=2), color="none", seed=seed)
    quality = FAST if target.suffix else Quality()
    return Job(**{"source": source, "target": target, "settings": settings, "segment_seconds": 0.5, "quality": quality}
               | others)  # fmt: skip


def upscale(source: Path, target: Path, *, runtime=None, restorer=None, job_settings=None, **how) -> Result:
    """Run a job with a restorer of microseconds."""
    chosen = job(source, target, **(job_settings or {}))
    return upscale_video(chosen, restorer or Pointwise(), runtime or Watched(), **how)


class Stopping(Watched):
    """A runtime whose user stops when the network has computed this many tiles."""

    def __init__(self, after: int, **others):
        super().__init__(before_tile=self._check, **others)
        self.after = after

    def _check(self, checks: int) -> None:
        scanned = sum(stage == "scan" for stage, _, _ in self.reports)
        if checks - scanned >= self.after:
            raise Stopped


def frame_digests(path: Path) -> list[str]:
    """Return a digest of every decoded frame of a video or a folder of images."""
    return [blake2b(frame.image.numpy().tobytes(), digest_size=8).hexdigest() for frame in read_frames(path)]


def names(folder: Path) -> list[str]:
    """Return the names of everything in a folder."""
    return sorted(path.name for path in folder.iterdir())


def contents(path: Path) -> dict[str, bytes]:
    """Return the bytes of a file, or of every file in a folder."""
    return {file.name: file.read_bytes() for file in (path.iterdir() if path.is_dir() else [path])}
