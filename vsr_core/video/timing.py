"""Frames of a video file with their numbers and times, from its beginning or from a remembered place."""

import zlib
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..errors import SettingError, VideoError
from .color import ColorTags
from .decode import damage, decode_frames, file_start, open_video
from .info import IMAGE_RATE
from .picture import color_tags

STEPS_BACK = (0, 1, 10)
"""Seconds before a key frame from which decoding is tried; some formats are entered only roughly."""


class Seek(NamedTuple):
    """What is remembered of a frame, to find it again without decoding all frames before it."""

    number: int
    time: Fraction
    """As `TimedFrame.time`."""
    stamp: int
    """The frame's time stamp in the file."""
    key: int
    """That of the last key frame up to this frame, in the order shown."""
    check: int
    """`checksum` of the picture."""

    def as_data(self) -> list:
        """Return this as JSON can keep it."""
        return [self.number, str(self.time), *self[2:]]

    @classmethod
    def from_data(cls, data: list) -> "Seek":
        """Return what `as_data` was made of."""
        return cls(data[0], Fraction(data[1]), *data[2:])


class TimedFrame(NamedTuple):
    """A decoded frame of a file."""

    number: int
    time: Fraction
    """Seconds since the start of the file."""
    picture: object
    """The `av.VideoFrame` as stored, not turned."""
    color: ColorTags
    """Of the whole file."""
    codec_name: str


class _Lost(Exception):
    """The file does not lead back to the remembered place."""


def timed_frames(path: Path, start: int = 0, stop: int | None = None, seek: Seek | None = None) -> Iterator[TimedFrame]:
    """Yield the frames numbered `start` up to, not including, `stop` (None: to the end).

    With `seek`, of a frame at or before `start`, decoding begins at the key frame before it where the file leads back
    there, otherwise at the beginning of the file. The result is the same.

    Raises VideoError at the point of damage, or where the size changes.
    """
    if seek is not None and seek.number > start:
        raise SettingError(f"Frame {start} comes before frame {seek.number}, from where it was to be found.")
    if seek is not None:
        try:
            for frame in _frames(path, start, stop, seek):
                yield frame
                start = frame.number + 1
            return
        except _Lost:
            pass
    yield from _frames(path, start, stop, None)


def _frames(path: Path, start: int, stop: int | None, seek: Seek | None) -> Iterator[TimedFrame]:
    with open_video(path) as (container, stream):
        decoded = decode_frames(container, stream, path)
        opening = next(decoded)
        size, color, name = _size(opening), color_tags(opening, stream.codec_context), stream.codec_context.name
        base, first = file_start(container), 0
        if seek is None:
            timed = _timed(chain([opening], decoded), stream, base)
        else:
            decoded.close()
            found, first = _found(container, stream, path, seek), seek.number
            timed = chain([(next(found), seek.time)], _timed(found, stream, base, last=seek.time))
        count = None if stop is None else stop - first
        for number, (frame, time) in enumerate(islice(timed, count), first):
            if number < start:
                continue
            if frame.is_corrupt:
                raise damage(path, number, "its data is incomplete")
            if _size(frame) != size:
                raise VideoError(f"{path} changes its size at frame {number}. Convert it to one size first.")
            yield TimedFrame(number, time, frame, color, name)


def _size(frame) -> tuple[int, int]:
    return frame.height, frame.width


def _found(container, stream, path: Path, seek: Seek) -> Iterator:
    """Yield the `av.VideoFrame`s from that of `seek` on; raise _Lost where it cannot be found again."""
    for back in STEPS_BACK:
        frames = _decoded_from(container, stream, path, seek.key - round(back / stream.time_base))
        try:
            frame = next((frame for frame in frames if frame.pts is not None and frame.pts >= seek.stamp), None)
        except _Lost:
            continue
        if frame is not None and frame.pts == seek.stamp and checksum(frame) == seek.check:
            yield frame
            yield from frames
            return
        frames.close()
    raise _Lost


def _decoded_from(container, stream, path: Path, stamp: int) -> Iterator:
    import av

    try:
        container.seek(stamp, stream=stream)
        yield from decode_frames(container, stream, path, whole=False)
    except (av.FFmpegError, VideoError) as error:
        raise _Lost from error


def check_range(start: int, stop: int | None) -> None:
    """Raise SettingError unless frames `start` up to, not including, `stop` (None: to the end) can be any."""
    if start < 0 or (stop is not None and stop <= start):
        raise SettingError(f"Frames {start}:{stop} are no range. Expected 0 <= start < stop.")


def checksum(frame) -> int:
    """Return a checksum of the first plane of an `av.VideoFrame`: of its luma, or of some of its colours."""
    plane = frame.planes[0]
    rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
    return zlib.crc32(np.ascontiguousarray(rows[:, : plane.width]))


def unrounded(stamp: Fraction, period: Fraction, tick: Fraction) -> Fraction:
    """Return the multiple of `period` that was rounded to `stamp` in units of `tick`, or `stamp` if none was.

    Matroska keeps milliseconds: frame 1 of 24 per second says 0.042 s and means 1/24 s.
    """
    exact = round(stamp / period) * period
    return exact if abs(exact - stamp) < tick else stamp


def _timed(decoded: Iterable, stream, base: Fraction, last: Fraction | None = None) -> Iterator[tuple]:
    """Yield every `av.VideoFrame` with its time; `last` is the time of the one before."""
    period = 1 / (stream.average_rate or stream.guessed_rate or stream.base_rate or IMAGE_RATE)
    for frame in decoded:
        stamp = None if frame.pts is None else frame.pts * stream.time_base - base
        if stamp is None or (last is not None and stamp <= last):
            stamp = Fraction(0) if last is None else last + period
        exact = unrounded(stamp, period, stream.time_base)
        stamp = exact if last is None or exact > last else stamp
        last = stamp
        yield frame, stamp
