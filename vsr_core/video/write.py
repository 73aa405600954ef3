"""Write frames to a video file or a folder of images; the target appears only when it is complete."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from torch import Tensor

from ..errors import VideoError
from .encode import VIDEO_SUFFIXES, Quality, VideoEncoder
from .image_folder import ImageFolder
from .info import IMAGE_RATE, VideoInfo
from .partial import partial_file, partial_folder


class Writer(Protocol):
    """Takes frames in order."""

    def write(self, image: Tensor, time: Fraction, alpha: Tensor | None = None) -> None:
        """Append RGB (3, H, W) and alpha (1, H, W), both in 0..1, shown from `time` (source seconds)."""

    def finish(self) -> None:
        """Complete what was written."""

    def abort(self) -> None:
        """Give up what was written."""


@contextmanager
def open_writer(
    path: str | Path,
    *,
    height: int,
    width: int,
    source: VideoInfo | None = None,
    frame_rate: Fraction | None = None,
    trimmed: bool = False,
    audio: bool = True,
    overwrite: bool = False,
    quality: Quality | None = None,
) -> Iterator[Writer]:
    """Yield a writer of `height` x `width` frames; `path` appears when the block ends without an error.

    A `path` ending in .mp4, .mkv or .mov becomes a video, one without an ending (or an empty folder) a folder
    of PNG files. Videos are H.264, or ProRes 4444 where `source` has alpha and `path` ends in .mkv or .mov.
    From `source` come colour tags, pixel shape, sound, bit depth and the names of images.
    With `trimmed` the first frame's time becomes 0 and the sound is cut to the frames; otherwise times and
    sound stay as they are. Missing parent folders are created. Whatever interrupts the block, nothing
    unfinished is left behind, and no file that was there before is touched unless `overwrite` allows it.

    Raises VideoError where `path` exists (a folder: with files in it) or cannot be written, the size does not
    fit the codec, or the sound does not fit the format.
    """
    target, shared = Path(path), {"height": height, "width": width, "source": source}
    if not _is_video(target):
        with partial_folder(target) as folder, _finished(ImageFolder(folder, target, **shared)) as images:
            yield images
        return
    _protect_source(target, source)
    rate = Fraction(frame_rate or (source.frame_rate if source else IMAGE_RATE))
    settings = {"frame_rate": rate, "trimmed": trimmed, "audio": audio, "quality": quality or Quality()}
    with (
        partial_file(target, overwrite=overwrite) as file,
        _finished(VideoEncoder(file, target, **shared, **settings)) as encoder,
    ):
        yield encoder


def _is_video(target: Path) -> bool:
    suffix = target.suffix.lower()
    if suffix and suffix not in VIDEO_SUFFIXES and not target.is_dir():
        raise VideoError(
            f"{target} ends in {suffix}; a video must end in {', '.join(VIDEO_SUFFIXES)}, "
            "a folder of images must have no ending."
        )
    return suffix in VIDEO_SUFFIXES


def _protect_source(target: Path, source: VideoInfo | None) -> None:
    if source is not None and target.exists() and os.path.samefile(target, source.path):
        raise VideoError(f"{target} is the file being read. Choose another name for the result.")


@contextmanager
def _finished(writer: Writer) -> Iterator[Writer]:
    try:
        yield writer
        writer.finish()
    except BaseException:
        writer.abort()
        raise
