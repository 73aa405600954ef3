"""Find the clips to compare and walk through their frames side by side."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from torch import Tensor

from ..clip import resize_bicubic
from ..errors import ClipError, VideoError
from ..video import read_frames
from ..video.images import SUFFIXES as IMAGE_SUFFIXES
from .measure import REFERENCE, Frames

RESULT = "SR"
ClipPaths = Mapping[str, Path]
"""The files of one clip: "SR", "HR", "LR" -> video or folder of images."""


def find_clips(sr: Path, hr: Path | None, lr: Path | None) -> dict[str, dict[str, Path]]:
    """Return the files of every clip by its name: one clip, or those in `sr` if that is a folder of clips.

    Raises VideoError if a path is missing, is not of the same kind as `sr`, or lacks a clip that `sr` has.
    """
    given = {name: path for name, path in ((RESULT, sr), (REFERENCE, hr), ("LR", lr)) if path is not None}
    for path in given.values():
        if not path.exists():
            raise VideoError(f"{path} does not exist; expected a video or a folder of images or clips.")
    if not _holds_clips(sr):
        _refuse(path for path in given.values() if _holds_clips(path))
        return {sr.stem: given}
    _refuse(path for path in given.values() if not _holds_clips(path))
    entries = {name: _entries(path) for name, path in given.items()}
    return {clip: {name: _pick(clip, entries[name], given[name]) for name in given} for clip in entries[RESULT]}


def side_by_side(paths: ClipPaths) -> Iterator[Frames]:
    """Yield every moment of a clip: "bicubic xN" made from LR if there is one, "SR", "HR" if there is one.

    Raises ClipError if the clips differ in frame count, if SR and HR differ in size, or if SR is not a
    whole multiple of LR.
    """
    readers = {name: (frame.image for frame in read_frames(path)) for name, path in paths.items()}
    count = 0
    while True:
        moment = {name: next(reader, None) for name, reader in readers.items()}
        if any(image is None for image in moment.values()):
            break
        count += 1
        yield _rows(moment)
    extra = {name: sum(1 for _ in reader) + (moment[name] is not None) for name, reader in readers.items()}
    if any(extra.values()):
        counts = ", ".join(f"{name} has {count + more}" for name, more in extra.items())
        raise ClipError(f"Frame counts differ for {paths[RESULT]}: {counts}. Compare clips of equal length.")


def _rows(moment: Mapping[str, Tensor]) -> dict[str, Tensor]:
    sr, hr, lr = (moment.get(name) for name in (RESULT, REFERENCE, "LR"))
    rows = {}
    if lr is not None:
        rows[f"bicubic x{_scale(sr, lr)}"] = _enlarge(lr, sr)
    rows[RESULT] = sr
    if hr is not None:
        if hr.shape != sr.shape:
            raise ClipError(f"SR is {_size(sr)} and HR is {_size(hr)} pixels; expected equal sizes.")
        rows[REFERENCE] = hr
    return rows


def _enlarge(lr: Tensor, sr: Tensor) -> Tensor:
    """Return `lr` at the size of `sr`, rounded to 8 bits as a saved frame is."""
    return (resize_bicubic(lr[None], *sr.shape[-2:])[0] * 255).round() / 255


def _scale(sr: Tensor, lr: Tensor) -> int:
    scale = sr.shape[-1] // lr.shape[-1]
    if scale < 1 or (lr.shape[-2] * scale, lr.shape[-1] * scale) != tuple(sr.shape[-2:]):
        raise ClipError(f"SR is {_size(sr)} and LR is {_size(lr)} pixels; expected a whole multiple, as 4x.")
    return scale


def _size(image: Tensor) -> str:
    return f"{image.shape[-1]}x{image.shape[-2]}"


def _holds_clips(path: Path) -> bool:
    return path.is_dir() and not any(entry.suffix.lower() in IMAGE_SUFFIXES for entry in path.iterdir())


def _refuse(odd_ones: Iterator[Path]) -> None:
    for path in odd_ones:
        kind = "a folder of clips" if _holds_clips(path) else "one clip"
        raise VideoError(f"{path} is {kind} while the others are not; give one kind throughout.")


def _entries(folder: Path) -> dict[str, Path]:
    entries: dict[str, Path] = {}
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith("."):
            continue
        name = entry.name if entry.is_dir() else entry.stem
        if name in entries:
            raise VideoError(f"{folder} holds two clips named {name}; rename or remove one.")
        entries[name] = entry
    if not entries:
        raise VideoError(f"{folder} is empty; expected a video, images or clips in it.")
    return entries


def _pick(name: str, entries: Mapping[str, Path], folder: Path) -> Path:
    if name not in entries:
        raise VideoError(f"{folder} holds no clip named {name}; expected one for every clip of SR.")
    return entries[name]
