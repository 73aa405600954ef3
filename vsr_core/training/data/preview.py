"""A picture of training items: a titled row of frames for each clip in them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from ...compare.picture import GAP, titled, to_picture

PAIR = ("LR", "HR")
SMALLEST_FRAME = 96
"""Frames are shown at least so high, so that their titles can be read."""


def preview(items: Sequence[Any]) -> Image.Image:
    """Draw the clips (T, 3, H, W) and pictures (3, H, W) in 0..1 of `items` below each other, by whole pixels.

    Smaller ones of an item are enlarged to its largest. Everything else, such as labels, is in the titles.
    """
    rows = [row for index, item in enumerate(items) for row in _rows(index, named(item))]
    width = max(sum(picture.width + GAP for picture in row) for row in rows) - GAP
    sheet = Image.new("RGB", (width, sum(row[0].height + GAP for row in rows) - GAP), "white")
    top = 0
    for row in rows:
        for column, picture in enumerate(row):
            sheet.paste(picture, (column * (picture.width + GAP), top))
        top += row[0].height + GAP
    return sheet


def named(item: Any) -> dict[str, Any]:
    """Return the parts of an item by name; those of a plain pair are LR and HR, of other lists their numbers."""
    if isinstance(item, Mapping):
        return dict(item)
    if not isinstance(item, Sequence):
        return {"": item}
    names = getattr(item, "_fields", PAIR if len(item) == len(PAIR) else map(str, range(len(item))))
    return dict(zip(names, item))


def _rows(index: int, parts: dict[str, Any]) -> Iterator[list[Image.Image]]:
    clips = {name: value if value.ndim == 4 else value[None] for name, value in parts.items() if _is_shown(value)}
    labels = [f"{name} {_short(value)}" for name, value in parts.items() if name not in clips]
    height = max([SMALLEST_FRAME, *(clip.shape[-2] for clip in clips.values())])
    for name, clip in clips.items():
        size = f"{clip.shape[-1]}x{clip.shape[-2]}"
        yield list(_frames(clip, height, " ".join([str(index), name, size, *labels])))


def _frames(clip: Tensor, height: int, title: str) -> Iterable[Image.Image]:
    enlarged = F.interpolate(clip.float(), scale_factor=-(-height // clip.shape[-2]), mode="nearest")
    for number, frame in enumerate(enlarged):
        picture = to_picture(frame)
        yield picture if number else titled(picture, title)


def _is_shown(value: Any) -> bool:
    return isinstance(value, Tensor) and value.ndim in (3, 4) and value.shape[-3] == 3


def _short(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"{value.item():g}" if value.numel() == 1 else str(tuple(value.shape))
    return str(value)
