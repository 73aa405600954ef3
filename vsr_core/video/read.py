"""Frames of a video file or a folder of images, one at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from torch import Tensor

from ..errors import SettingError, VideoError
from .images import decode_image, image_files, image_header
from .info import IMAGE_RATE
from .orientation import frame_orientation, turn_upright
from .picture import color_tags, to_rgb
from .timing import Seek, check_range, timed_frames


@dataclass(frozen=True)
class Frame:
    """One picture of a video."""

    image: Tensor
    """RGB (3, H, W), float32 in 0..1."""
    alpha: Tensor | None
    """Opacity (1, H, W), float32 in 0..1, or None where the file has no transparency."""
    time: Fraction
    """Seconds since the start of the file."""


def read_frames(
    path: str | Path, start: int = 0, stop: int | None = None, *, seek: Seek | None = None
) -> Iterator[Frame]:
    """Yield the frames numbered `start` up to, not including, `stop` (None: to the end) as they are shown.

    Holds one frame at a time. Frames before `start` are decoded and dropped: numbers are exact. With `seek`, what
    `scan` remembers of a frame at or before `start`, decoding begins near it; the frames are the same.
    A folder of images plays at 24 frames per second. Times come from the file's time stamps; a frame without
    one, or with one not after its predecessor's, follows by one frame period. Untagged colours are read as
    players do: see `picture.color_tags`.

    Raises VideoError for what cannot be read, at the point of damage in a damaged file; SettingError for a
    range without frames.
    """
    check_range(start, stop)
    path = Path(path)
    files = image_files(path)
    frames = _video_frames(path, start, stop, seek) if files is None else _image_frames(files, start, stop)
    return _require_one(frames, path, start)


def _require_one(frames: Iterator[Frame], path: Path, start: int) -> Iterator[Frame]:
    empty = True
    for frame in frames:
        empty = False
        yield frame
    if empty:
        raise SettingError(f"{path} has no frame number {start}. Frames are counted from 0.")


def _video_frames(path: Path, start: int, stop: int | None, seek: Seek | None) -> Iterator[Frame]:
    for _, time, picture, color, codec_name in timed_frames(path, start, stop, seek):
        rgb, alpha = to_rgb(picture, color, codec_name)
        orientation = frame_orientation(picture)
        alpha = None if alpha is None else turn_upright(alpha, orientation)
        yield Frame(turn_upright(rgb, orientation), alpha, time)


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
