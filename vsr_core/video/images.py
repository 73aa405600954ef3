"""A folder of images, or one image, as a sequence of frames."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from ..errors import VideoError
from .orientation import EXIF, UPRIGHT, Orientation

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp"}
ORIENTATION_TAG = 274


def image_files(path: Path) -> list[Path] | None:
    """Return the images of a folder in natural order (2 before 10), or the one image; None for a video.

    Raises VideoError for a folder without images. Hidden files are skipped.
    """
    if not path.is_dir():
        return [path] if path.suffix.lower() in SUFFIXES and path.is_file() else None
    files = [f for f in path.iterdir() if f.suffix.lower() in SUFFIXES and f.name[0] != "." and f.is_file()]
    if not files:
        raise VideoError(f"{path} contains no image. Expected files ending in {', '.join(sorted(SUFFIXES))}.")
    return sorted(files, key=_natural)


def _natural(file: Path) -> list:
    parts = re.split(r"(\d+)", file.name.lower())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts] + [(-1, file.name)]


@contextmanager
def _opened(file: Path) -> Iterator:
    from PIL import Image

    try:
        with Image.open(file) as image:
            yield image
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise VideoError(f"{file} cannot be read as an image: {error}. Remove or replace it.") from error


def image_header(file: Path) -> tuple[int, int, Orientation]:
    """Return height and width as shown and the EXIF orientation, without decoding; raise VideoError."""
    with _opened(file) as image:
        width, height = image.size
        orientation = EXIF.get(image.getexif().get(ORIENTATION_TAG, 1), UPRIGHT)
    return (width, height, orientation) if orientation.transpose else (height, width, orientation)


def check_sizes(files: list[Path]) -> None:
    """Raise VideoError naming the first image whose size is not that of the first image."""
    expected = image_header(files[0])[:2]
    for file in files[1:]:
        size = image_header(file)[:2]
        if size != expected:
            raise VideoError(
                f"{file} is {size[1]}x{size[0]} pixels, but {files[0].name} is {expected[1]}x{expected[0]}. "
                "All images of a folder must have the same size."
            )


def decode_image(file: Path) -> tuple:
    """Return the decoded `av.VideoFrame`, as stored, and its codec context; raise VideoError."""
    import av

    with _opened(file) as image:
        image.load()  # FFmpeg, which keeps 16 bits, would show a JPEG that is cut off as if it were complete
    try:
        with av.open(BytesIO(file.read_bytes())) as container:
            stream = container.streams.video[0]
            return next(container.decode(stream)), stream.codec_context
    except (av.FFmpegError, OSError, IndexError, StopIteration) as error:
        raise VideoError(f"{file} cannot be decoded as an image: {error}. Remove or replace it.") from error
