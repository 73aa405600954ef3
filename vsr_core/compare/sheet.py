"""A picture that shows what restoring did."""

from pathlib import Path

import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw
from torch import Tensor

from ..clip import resize_bicubic
from .picture import GAP, save_picture, titled, to_picture

CROP_SHARE = 4
"""The enlarged crop is this part of the frame's width and height."""


def write_comparison(path: str | Path, before: Tensor, after: Tensor) -> Path:
    """Write `before` (3, h, w) enlarged by bicubic beside `after` (3, H, W), and below both their richest detail.

    Raises VideoError if `path` cannot be written.
    """
    height, width = after.shape[-2:]
    enlarged = resize_bicubic(before[None].to(after), height, width)[0]
    top, left = richest_crop(after, height // CROP_SHARE, width // CROP_SHARE)
    sheet = Image.new("RGB", (2 * width + GAP, 2 * height + GAP), "white")
    for column, (title, frame) in enumerate((("bicubic", enlarged), ("restored", after))):
        picture = to_picture(frame)
        x = column * (width + GAP)
        box = (left, top, left + width // CROP_SHARE, top + height // CROP_SHARE)
        crop = picture.crop(box).resize((width, height), Image.Resampling.NEAREST)
        ImageDraw.Draw(picture).rectangle(box, outline="yellow", width=max(1, height // 270))
        sheet.paste(titled(picture, title), (x, 0))
        sheet.paste(titled(crop, f"{title}, x{CROP_SHARE}"), (x, height + GAP))
    return save_picture(sheet, path)


def richest_crop(frame: Tensor, height: int, width: int) -> tuple[int, int]:
    """Return top and left of the `height` x `width` part with the strongest gradients."""
    grey = frame.float().mean(0)
    detail = F.pad(grey.diff(dim=0).abs(), (0, 0, 0, 1)) + F.pad(grey.diff(dim=1).abs(), (0, 1))
    steps = (max(1, height // 4), max(1, width // 4))
    sums = F.avg_pool2d(detail[None, None], (height, width), stride=steps)[0, 0]
    best = int(torch.argmax(sums))
    return best // sums.shape[1] * steps[0], best % sums.shape[1] * steps[1]
