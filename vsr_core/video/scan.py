"""Read a source once, as small pictures, to know all of it before it is restored."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from ..errors import SettingError, VideoError
from ..tiling.cuts import mark_cuts
from .images import image_files
from .info import IMAGE_RATE, probe
from .picture import small_rgb
from .read import read_frames
from .timing import Seek, check_range, checksum, timed_frames

SMALL = 64
"""Pixels of the longer side of a small picture."""
SEEKABLE = ("mov", "matroska", "mpegts", "nut", "avi", "flv", "asf", "ogg")


@dataclass(frozen=True)
class Timeline:
    """The frames of a range of a source: how many, when, in which shots."""

    first: int
    """Number of the first frame of the range in the source."""
    shots: tuple[int, ...]
    """Frames of each shot, in order."""
    times: Sequence[Fraction]
    """Seconds at which each frame is shown, as `read_frames` gives them."""
    end: Fraction
    """Seconds until which the last frame is shown."""
    seeks: Sequence[Seek | None]
    """What leads `read_frames` back to each frame, None where only reading from the beginning does."""
    damage: str | None = None
    """Why the range ends before it should, a sentence."""

    @property
    def frames(self) -> int:
        """How many frames there are."""
        return len(self.times)


def scan(
    path: str | Path,
    start: int = 0,
    stop: int | None = None,
    *,
    scene_cuts: bool = True,
    on_error: str = "stop",
    progress: Callable[[int, int | None], None] | None = None,
) -> Timeline:
    """Return what the frames numbered `start` up to, not including, `stop` (None: to the end) are.

    Without `scene_cuts` everything is one shot. `on_error` is "stop": damage is a VideoError; or "finish": the range
    ends before it, unless no frame comes before. `progress` is called with frames done and, where known, in all.
    """
    path, notify = Path(path), progress or (lambda done, total: None)
    check_range(start, stop)
    known = probe(path).frames
    total = None if known is None else max(0, min(known, stop or known) - start)
    sights = _images(path, start, stop) if image_files(path) else _frames(path, start, stop)
    seen = _Seen([], [])
    damage: list[VideoError] = []
    starts = []
    for number, (_, cut) in enumerate(mark_cuts(_recorded(sights, seen, damage))):
        starts += [number] if number == 0 or (cut and scene_cuts) else []
        notify(number + 1, total)
    if damage and (on_error == "stop" or not seen.times):
        raise VideoError(f"{damage[0]} Or finish what comes before the damage with --on-error finish.") from damage[0]
    if not seen.times:
        raise SettingError(f"{path} has no frame number {start}. Frames are counted from 0.")
    return Timeline(
        first=start,
        shots=tuple(stop - begin for begin, stop in zip(starts, [*starts[1:], len(seen.times)])),
        times=tuple(seen.times),
        end=seen.end,
        seeks=tuple(seen.seeks),
        damage=str(damage[0]) if damage else None,
    )


class _Sight(NamedTuple):
    """What is seen of a frame."""

    time: Fraction
    end: Fraction
    seek: Seek | None
    small: Tensor


@dataclass
class _Seen:
    """What is kept of all frames: little, for there may be millions."""

    times: list[Fraction]
    seeks: list[Seek | None]
    end: Fraction = Fraction(0)


def _recorded(sights: Iterator[_Sight], seen: _Seen, damage: list[VideoError]) -> Iterator[Tensor]:
    """Yield the small pictures; keep the rest, and the error where one ends them."""
    try:
        for sight in sights:
            seen.times.append(sight.time)
            seen.seeks.append(sight.seek)
            seen.end = sight.end
            yield sight.small
    except VideoError as error:
        damage.append(error)


def _images(path: Path, start: int, stop: int | None) -> Iterator[_Sight]:
    for frame in read_frames(path, start, stop):
        yield _Sight(frame.time, frame.time + 1 / IMAGE_RATE, None, frame.image)


def _frames(path: Path, start: int, stop: int | None) -> Iterator[_Sight]:
    period = 1 / probe(path).frame_rate
    key = last = None
    for number, time, picture, *_ in timed_frames(path, 0, stop):
        stamp = picture.pts
        reliable = stamp is not None and (last is None or stamp > last)
        key = stamp if picture.key_frame and reliable else key
        last = stamp
        if number >= start:
            seek = Seek(number, time, stamp, key, checksum(picture)) if reliable and key is not None else None
            yield _Sight(time, time + period, seek, small_rgb(picture, SMALL))
