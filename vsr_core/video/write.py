"""Write frames to a video file or a folder of images; the target appears only when it is complete."""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

from .codecs import Quality
from .image_folder import ImageFolder
from .info import VideoInfo
from .join import check_target, join_into
from .partial import partial_file, partial_folder, unnamed_file
from .segment import SegmentFile
from .writer import Writer, finished


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
    of PNG files; see `Quality` for what it is encoded with. From `source` come colour tags, pixel shape, bit depth,
    the names of images, and what `join_segments` carries over. With `trimmed` the first frame's time becomes 0 and
    the sound is cut to the frames; otherwise times and sound stay as they are. Missing parent folders are created.
    Whatever interrupts the block, nothing unfinished is left behind, and no file that was there before is touched
    unless `overwrite` allows it.

    Raises VideoError where `path` exists (a folder: with files in it) or cannot be written, the size does not
    fit the codec, or the sound does not fit the format.
    """
    target, shared = Path(path), {"height": height, "width": width, "source": source}
    quality = (quality or Quality()).resolved(target, source)
    if quality.codec == "png":
        with partial_folder(target) as folder, finished(ImageFolder(folder, target, **shared)) as images:
            yield images
        return
    check_target(target, source=source, quality=quality, audio=audio, overwrite=overwrite)
    with partial_file(target, overwrite=overwrite) as file, unnamed_file(target, quality.segment_suffix) as part:
        with finished(SegmentFile(part, target, frame_rate=frame_rate, quality=quality, **shared)) as pictures:
            yield pictures
        join_into(file, [part], target, source=source, trimmed=trimmed, audio=audio)
