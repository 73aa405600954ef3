"""Find photographs, animations, videos and prepared clips in folders, and read frames from them."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import av
import numpy as np
from numpy import ndarray
from PIL import Image, ImageOps, UnidentifiedImageError

from ...errors import SettingError, VideoError

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif")
VIDEO_SUFFIXES = (".mp4", ".mkv", ".mov", ".webm", ".avi", ".mpg", ".mpeg", ".m4v", ".ts")
CLIP_SUFFIX = ".npy"

Kind = Literal["image", "video", "clip"]


@dataclass(frozen=True)
class Media:
    """One file of `frames` frames (1 = a photograph) of `height` x `width` pixels."""

    path: Path
    kind: Kind
    frames: int
    height: int
    width: int


def find_media(folders: Iterable[str | Path]) -> list[Media]:
    """Return everything readable by name in `folders` and below, sorted by path; a file stands for itself.

    Raises SettingError for a path that does not exist or if nothing is found, VideoError for a broken file.
    """
    paths: list[Path] = []
    for folder in map(Path, folders):
        if not folder.exists():
            raise SettingError(f"The data folder {folder} does not exist.")
        paths += sorted(folder.rglob("*")) if folder.is_dir() else [folder]
    known = (*IMAGE_SUFFIXES, *VIDEO_SUFFIXES, CLIP_SUFFIX)
    media = [open_media(path) for path in paths if path.is_file() and path.suffix.lower() in known]
    if not media:
        raise SettingError(
            "The data folders hold no images, videos or prepared clips; "
            f"files with these endings are read: {' '.join(known)}."
        )
    return media


def open_media(path: Path) -> Media:
    """Read the size and frame count of one file. Raises VideoError if it cannot be read."""
    suffix = path.suffix.lower()
    try:
        if suffix == CLIP_SUFFIX:
            return _open_clip(path)
        if suffix in VIDEO_SUFFIXES:
            return _open_video(path)
        with Image.open(path) as image:
            frames = getattr(image, "n_frames", 1)
            width, height = ImageOps.exif_transpose(image).size if frames == 1 else image.size
            return Media(path, "image", frames, height, width)
    except (OSError, ValueError, UnidentifiedImageError, av.error.FFmpegError) as error:
        raise _unreadable(path, error) from error


def read_frames(media: Media, start: int, count: int) -> ndarray:
    """Return frames start .. start + count - 1 as uint8 (count, H, W, 3); a prepared clip stays on disk."""
    if media.kind == "clip":
        return np.load(media.path, mmap_mode="r")[start : start + count]
    try:
        read = _read_video if media.kind == "video" else _read_image
        frames = read(media, start, count)
    except (OSError, av.error.FFmpegError) as error:
        raise _unreadable(media.path, error) from error
    if len(frames) < count:
        raise VideoError(f"{media.path} has only {len(frames)} readable frames where {count} are needed.")
    return np.stack(frames)


def _unreadable(path: Path, error: Exception) -> VideoError:
    return VideoError(f"Cannot read {path}: {error}. Repair the file or take it out of the data.")


def _open_clip(path: Path) -> Media:
    array = np.load(path, mmap_mode="r")
    if array.ndim != 4 or array.shape[3] != 3 or array.dtype != np.uint8:
        raise ValueError(f"a prepared clip is uint8 (T, H, W, 3), this is {array.dtype} {array.shape}")
    return Media(path, "clip", *array.shape[:3])


def _open_video(path: Path) -> Media:
    with av.open(str(path)) as container:
        if not container.streams.video:
            raise ValueError("it has no video stream")
        stream = container.streams.video[0]
        if not stream.average_rate:
            raise ValueError("its frame rate is unknown")
        frames = stream.frames or int((container.duration or 0) / av.time_base * stream.average_rate)
        return Media(path, "video", max(1, frames), stream.height, stream.width)


def _read_image(media: Media, start: int, count: int) -> Sequence[ndarray]:
    with Image.open(media.path) as image:
        if media.frames == 1:
            return [np.asarray(ImageOps.exif_transpose(image).convert("RGB"))]
        frames = []
        for index in range(start, min(start + count, media.frames)):
            image.seek(index)
            frames.append(np.asarray(image.convert("RGB")))
        return frames


def _read_video(media: Media, start: int, count: int) -> Sequence[ndarray]:
    """Decode from the key frame before `start`; near the end, return the last `count` frames instead."""
    with av.open(str(media.path)) as container:
        stream = container.streams.video[0]
        stream.thread_count = 1
        first = stream.start_time or 0
        target = first + start / stream.average_rate / stream.time_base
        container.seek(int(target), stream=stream)
        window: deque = deque(maxlen=count)
        late = 0
        for frame in container.decode(stream):
            window.append(frame)
            late += frame.pts is None or frame.pts + 0.5 / stream.average_rate / stream.time_base >= target
            if late >= count:
                break
        return [frame.to_ndarray(format="rgb24") for frame in window]
