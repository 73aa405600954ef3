"""What a job will take, measured on one short window at its real size."""

import math
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from pathlib import Path

from torch import Tensor

from ..contract import Restorer
from ..errors import SettingError
from ..restore import restore
from ..runtime import Runtime
from ..tiling.plan import plan_windows
from ..trial import memory_in_words, peak_ram, table, time_in_words, tried
from ..video import Frame, Quality, VideoInfo, probe, read_frames, segment_writer
from .context import context
from .job import Job
from .size import OutputSize, resized

QUEUED = 16
"""Large frames that may wait for the encoder."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """Expectations; frames are those that the input's header promises."""

    frames: int
    output: OutputSize
    quality: Quality
    seconds: float
    ram: int
    """Most bytes of the whole process."""
    vram: int
    """Most bytes on the device; 0 on a CPU."""
    bytes: int
    """Size of the pictures in the result, sound left out."""
    sample: int
    """How many frames, from the first on, this was measured on."""
    before: Tensor = field(repr=False, compare=False)
    """One of them, (3, h, w) in 0..1."""
    after: Tensor = field(repr=False, compare=False)
    """The same in the result, (3, H, W) in 0..1."""

    def __str__(self) -> str:
        """Return a table to read; nodes have room for its first two lines."""
        chosen = [
            self.quality.codec,
            *(f"{name} {v}" for name in ("crf", "preset") if (v := getattr(self.quality, name))),
        ]
        rows = {
            "time": time_in_words(self.seconds, self.frames),
            "memory": memory_in_words(self.ram, self.vram),
            "result": f"{self.frames} frames of {self.output.width}x{self.output.height}, {', '.join(chosen)}",
            "size": f"{self.bytes / 1e6:.1f} MB without sound, as much again for a while when segments are joined",
            "measured on": f"the first {self.sample} frames",
        }
        return table(rows)


def estimate(job: Job, restorer: Restorer, runtime: Runtime) -> Estimate:
    """Restore and encode the first window of a job and extrapolate. Writes nothing that stays.

    Raises what the job would raise for its input, its settings and the size of its result.
    """
    source = probe(job.source)
    quality, output = job.quality_for(source), job.output_for(source, restorer.requirements.scale)
    frames = _frames(job, source)
    start = time.perf_counter()
    sample = min(frames, plan_windows(restorer, job.settings.tiling).window)
    shown = list(islice(read_frames(job.source, job.frames[0], job.frames[1]), sample))
    reading = (time.perf_counter() - start) / len(shown)
    trial = tried(lambda: list(_restore(shown, job, restorer, runtime, output)), runtime.device)
    encoding, size = _encoded(trial.result, shown, source, quality, output)
    computing = trial.seconds / len(shown) * repeated(job, source, restorer, frames)
    together = computing + encoding if runtime.device.type == "cpu" else max(computing, encoding)
    waiting = QUEUED * 3 * 4 * output.height * output.width
    return Estimate(
        frames=frames,
        output=output,
        quality=quality,
        seconds=frames * (reading + together),
        ram=peak_ram() + waiting,
        vram=trial.vram,
        bytes=round(size / len(shown) * frames),
        sample=len(shown),
        before=shown[len(shown) // 2].image,
        after=trial.result[len(shown) // 2],
    )


def _frames(job: Job, source: VideoInfo) -> int:
    start, stop = job.frames
    known = source.frames or 1
    if start >= known:
        raise SettingError(f"{job.source} has no frame number {start}. Frames are counted from 0.")
    return min(known, known if stop is None else stop) - start


def _restore(
    frames: list[Frame], job: Job, restorer: Restorer, runtime: Runtime, output: OutputSize
) -> Iterator[Tensor]:
    given = (resized(frame.image, output.input_height, output.input_width) for frame in frames)
    for clip in restore(given, restorer, runtime, job.settings, total=len(frames), first=job.frames[0]):
        for image in clip.cpu():
            yield resized(image, output.height, output.width)


def _encoded(
    images: list[Tensor], frames: list[Frame], source: VideoInfo, quality: Quality, output: OutputSize
) -> tuple[float, int]:
    """Return the seconds per frame that encoding takes, and the bytes of all frames."""
    with tempfile.TemporaryDirectory(prefix="vsr-estimate-") as folder:
        path = Path(folder) / f"sample{quality.segment_suffix}"
        start = time.perf_counter()
        with segment_writer(
            path, height=output.height, width=output.width, source=source, quality=quality,
            sample_aspect_ratio=output.sample_aspect_ratio,
        ) as writer:  # fmt: skip
            for image, frame in zip(images, frames):
                writer.write(image, frame.time, None if frame.alpha is None else _alpha(frame.alpha, output))
        files = [file for file in [path, *path.rglob("*")] if file.is_file()]
        return (time.perf_counter() - start) / len(images), sum(file.stat().st_size for file in files)


def _alpha(alpha: Tensor, output: OutputSize) -> Tensor:
    return resized(alpha, output.height, output.width)


def repeated(job: Job, source: VideoInfo, restorer: Restorer, frames: int) -> float:
    """Return how many frames are computed for each one that is written: segments look around themselves."""
    around = context(restorer, job.settings)
    length = max(around.stride, math.floor(Fraction(job.segment_seconds) * source.frame_rate))
    segments = math.ceil(frames / length)
    return 1 + (segments - 1) * (around.lead + around.tail) / frames
