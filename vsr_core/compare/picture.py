"""Frames to and from 8-bit pictures, titles on them, and their files."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from ..errors import VideoError

GAP = 8
"""White pixels between two frames of one picture."""
SMALLEST_FONT = 12


def to_picture(frame: Tensor) -> Image.Image:
    """Turn (3, H, W) in 0..1 into an 8-bit picture."""
    return Image.fromarray((frame.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy())


def from_picture(picture: Image.Image) -> Tensor:
    """Turn an RGB picture into (3, H, W) in 0..1."""
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 255


def titled(picture: Image.Image, title: str) -> Image.Image:
    """Write `title` into the top left corner of `picture`."""
    draw = ImageDraw.Draw(picture)
    font = title_font(picture.height)
    box = draw.textbbox((8, 6), title, font=font)
    draw.rectangle((box[0] - 4, box[1] - 3, box[2] + 4, box[3] + 3), fill="black")
    draw.text((8, 6), title, fill="white", font=font)
    return picture


def title_patch(title: str, height: int) -> Tensor:
    """Return `title`, white on black, in the size that suits frames `height` pixels high: (3, h, w)."""
    font = title_font(height)
    left, top, right, bottom = font.getbbox(title)
    patch = Image.new("RGB", (int(right - left) + 8, int(bottom - top) + 6), "black")
    ImageDraw.Draw(patch).text((4 - left, 3 - top), title, fill="white", font=font)
    return from_picture(patch)


def title_font(height: int) -> ImageFont.FreeTypeFont:
    """Return the font for titles on pictures `height` pixels high."""
    return ImageFont.load_default(size=max(SMALLEST_FONT, height // 24))


def save_picture(picture: Image.Image, path: str | Path) -> Path:
    """Write `picture`, and the folder it goes into. Raises VideoError if `path` cannot be written."""
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(path)
    except (OSError, ValueError) as error:
        raise VideoError(f"Could not write {path}: {error}. Name a .png in a writable folder.") from error
    return path
