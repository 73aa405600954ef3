"""Cut media into short uncompressed clips that training can read without decoding."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy import ndarray

from ...errors import ClipError, SettingError
from . import quality
from .media import Media, find_media, open_media, read_frames

LIST_NAME = "sources.json"


@dataclass(frozen=True, kw_only=True)
class Source:
    """A file to take clips from, and which part of it."""

    path: Path
    license: str = "not stated"
    reduce: float = 1.0
    """Divide height and width by this (area average), so that soft footage becomes sharp."""
    first: int = 0
    last: int | None = None
    """Take clips from frames first .. last - 1 only."""
    box: tuple[int, int, int, int] | None = None
    """Top, left, bottom, right in pixels of the file: crop this before reducing."""
    clips: int | None = None
    """At most this many clips, in place of the setting for all."""


@dataclass(frozen=True, kw_only=True)
class PrepareSettings:
    """How clips are chosen."""

    frames: int = 12
    side: int = 384
    """Larger frames are cropped to this many pixels, where the detail is."""
    photo_side: int = 2048
    """Photographs are reduced until their longer side is at most this."""
    clips: int = 4
    """At most this many clips of one source, spread over its length."""
    detail: float = 60.0
    """Least variance of the Laplacian, in squared 8-bit levels."""
    motion: float = 0.4
    """Least change of every frame, in 8-bit levels. One static clip of a source is kept."""
    budget: int = 3_000_000_000
    """Stop before the clips take more bytes than this."""


def sources_in(folders: Iterable[str | Path]) -> list[Source]:
    """Return every file in `folders` as a source that is taken whole."""
    return [Source(path=media.path) for media in find_media(folders)]


def prepare(sources: Iterable[Source], out: str | Path, settings: PrepareSettings | None = None) -> list[dict]:
    """Write the best clips of `sources` as OUT/clips/*.npy, uint8 (T, H, W, 3), and list them in a json file.

    Returns the list: per source its name, licence, settings and number of clips. Raises ClipError if no clip
    is good enough, SettingError if OUT already holds clips, VideoError for a broken file.
    """
    settings = settings or PrepareSettings()
    folder = Path(out) / "clips"
    if folder.exists() and any(folder.iterdir()):
        raise SettingError(f"{folder} already holds clips; choose another folder or empty this one first.")
    folder.mkdir(parents=True, exist_ok=True)
    listed, left = [], settings.budget
    for number, source in enumerate(sources):
        count = 0
        for clip in best_clips(source, settings):
            left -= clip.nbytes
            if left < 0:
                break
            np.save(folder / f"{number:04d}_{_plain_name(source.path)}_{count:03d}.npy", clip)
            count += 1
        listed.append({**asdict(source), "path": source.path.name, "clips": count})
        if left < 0:
            break
    if not any(entry["clips"] for entry in listed):
        raise ClipError("No clip was sharp and moving enough; lower detail and motion or give other media.")
    (Path(out) / LIST_NAME).write_text(json.dumps(listed, indent=1))
    return listed


def best_clips(source: Source, settings: PrepareSettings) -> Iterator[ndarray]:
    """Yield the sharp, uncut, moving clips of a source; a photograph gives one clip of one frame."""
    media = open_media(Path(source.path))
    if media.frames == 1:
        photo = _cut_out(read_frames(media, 0, 1), source)
        photo = _reduced(photo, max(1.0, max(photo.shape[1:3]) / settings.photo_side))
        if quality.detail(photo[0]) >= settings.detail:
            yield photo
        return
    wanted = settings.clips if source.clips is None else source.clips
    starts = stretch_starts(media, source, settings.frames, wanted)
    found = static = 0
    for start in starts:
        if found == wanted:
            return
        clip = crop_to_detail(_cut_out(read_frames(media, start, settings.frames), source), settings.side)
        if quality.detail(clip[len(clip) // 2]) < settings.detail or quality.has_cut(clip):
            continue
        is_static = quality.motion(clip) < settings.motion
        if is_static and static:
            continue
        found, static = found + 1, static + is_static
        yield clip


def stretch_starts(media: Media, source: Source, frames: int, wanted: int) -> list[int]:
    """Return first frames of separate, evenly spread stretches, up to three times as many as wanted."""
    last = media.frames if source.last is None else min(source.last, media.frames)
    possible = max(0, (last - source.first) // frames)
    count = min(possible, 3 * wanted)
    chosen = [source.first + frames * (index * possible // count) for index in range(count)]
    return [start for offset in range(3) for start in chosen[offset::3]]


def crop_to_detail(frames: ndarray, side: int) -> ndarray:
    """Return the part of at most `side` x `side` pixels with the most detail in the middle frame."""
    height, width = (min(side, length) for length in frames.shape[1:3])
    middle = frames[len(frames) // 2]
    tops = np.unique(np.linspace(0, frames.shape[1] - height, 4, dtype=int))
    lefts = np.unique(np.linspace(0, frames.shape[2] - width, 4, dtype=int))
    corners = [(top, left) for top in tops for left in lefts]
    details = [quality.detail(middle[top : top + height, left : left + width]) for top, left in corners]
    top, left = corners[int(np.argmax(details))]
    return np.ascontiguousarray(frames[:, top : top + height, left : left + width])


def _cut_out(frames: ndarray, source: Source) -> ndarray:
    if source.box is not None:
        top, left, bottom, right = source.box
        frames = frames[:, top:bottom, left:right]
    return _reduced(frames, source.reduce)


def _reduced(frames: ndarray, factor: float) -> ndarray:
    import cv2

    if factor == 1:
        return frames
    height, width = (round(side / factor) for side in frames.shape[1:3])
    return np.stack([cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA) for frame in frames])


def _plain_name(path: Path) -> str:
    return re.sub(r"\W+", "_", Path(path).stem)[:40]
