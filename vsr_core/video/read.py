"""Frames of a video file or a folder of images, one at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path

from torch import Tensor

from ..errors import SettingError, VideoError
from .decode import damage, decode_frames, file_start, open_video
from .images import decode_image, image_files, image_header
from .info import IMAGE_RATE
from .orientation import frame_orientation, turn_upright
from .picture import color_tags, to_rgb


@dataclass(frozen=True)
class Frame:
    """One picture of a video."""

    image: Tensor
    """RGB (3, H, W), float32 in 0..1."""
    alpha: Tensor | None
    """Opacity (1, H, W), float32 in 0..1, or None where the file has no transparency."""
    time: Fraction
    """Seconds since the start of the file."""


def read_frames(path: str | Path, start: int = 0, stop: int | None = None) -> Iterator[Frame]:
    """Yield the frames numbered `start` up to, not including, `stop` (None: to the end) as they are shown.

    Holds one frame at a time. Frames before `start` are decoded and dropped: numbers are exact.
    A folder of images plays at 24 frames per second. Times come from the file's time stamps; a frame without
    one, or with one not after its predecessor's, follows by one frame period. Untagged colours are read as
    players do: see `picture.color_tags`.

    Raises VideoError for what cannot be read, at the point of damage in a damaged file; SettingError for a
    range without frames.
    """
    if start < 0 or (stop is not None and stop <= start):
        raise SettingError(f"Frames {start}:{stop} are no range. Expected 0 <= start < stop.")
    path = Path(path)
    files = image_files(path)
    frames = _video_frames(path, start, stop) if files is None else _image_frames(files, start, stop)
    return _require_one(frames, path, start)


def _require_one(frames: Iterator[Frame], path: Path, start: int) -> Iterator[Frame]:
    empty = True
    for frame in frames:
        empty = False
        yield frame
    if empty:
        raise SettingError(f"{path} has no frame number {start}. Frames are counted from 0.")


def _video_frames(path: Path, start: int, stop: int | None) -> Iterator[Frame]:
    with open_video(path) as (container, stream):
        codec, base = stream.codec_context, file_start(container)
        decoded = decode_frames(container, stream, path)
        size, color = None, None
        for number, (frame, time) in enumerate(_timed(islice(decoded, stop), stream, base)):
            size, color = size or (frame.height, frame.width), color or color_tags(frame, codec)
            if number < start:
                continue
            if frame.is_corrupt:
                raise damage(path, number, "its data is incomplete")
            if size != (frame.height, frame.width):
                raise VideoError(f"{path} changes its size at frame {number}. Convert it to one size first.")
            rgb, alpha = to_rgb(frame, color, codec.name)
            orientation = frame_orientation(frame)
            alpha = None if alpha is None else turn_upright(alpha, orientation)
            yield Frame(turn_upright(rgb, orientation), alpha, time)


def unrounded(stamp: Fraction, period: Fraction, tick: Fraction) -> Fraction:
    """Return the multiple of `period` that was rounded to `stamp` in units of `tick`, or `stamp` if none was.

    Matroska keeps milliseconds: frame 1 of 24 per second says 0.042 s and means 1/24 s.
    """
    exact = round(stamp / period) * period
    return exact if abs(exact - stamp) < tick else stamp


def _timed(decoded: Iterator, stream, base: Fraction) -> Iterator[tuple]:
    period = 1 / (stream.average_rate or stream.guessed_rate or stream.base_rate or IMAGE_RATE)
    last = None
    for frame in decoded:
        stamp = None if frame.pts is None else frame.pts * stream.time_base - base
        if stamp is None or (last is not None and stamp <= last):
            stamp = Fraction(0) if last is None else last + period
        exact = unrounded(stamp, period, stream.time_base)
        stamp = exact if last is None or exact > last else stamp
        last = stamp
        yield frame, stamp


def _image_frames(files: list[Path], start: int, stop: int | None) -> Iterator[Frame]:
    size = None
    for number, file in enumerate(files[:stop]):
        if number < start:
            continue
        rgb, alpha = read_image(file)
        size = size or rgb.shape
        if rgb.shape != size:
            raise VideoError(
                f"{file} is {rgb.shape[2]}x{rgb.shape[1]} pixels, the images before it {size[2]}x{size[1]}. "
                "All images of a folder must have the same size."
            )
        yield Frame(rgb, alpha, number / IMAGE_RATE)


def read_image(file: str | Path) -> tuple[Tensor, Tensor | None]:
    """Return RGB (3, H, W) and alpha (1, H, W) or None of an image file, in 0..1; 16 bits stay 16 bits."""
    file = Path(file)
    frame, codec = decode_image(file)
    orientation = image_header(file)[2]
    rgb, alpha = to_rgb(frame, color_tags(frame, codec), codec.name)
    return turn_upright(rgb, orientation), None if alpha is None else turn_upright(alpha, orientation)
