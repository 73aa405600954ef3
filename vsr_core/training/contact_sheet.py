"""Pictures of what training sees and makes."""

from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from ..clip import resize_bicubic


def contact_sheet(lr: Tensor, restored: Tensor, target: Tensor) -> Tensor:
    """Return uint8 (3, H, W): rows of bicubic input | restored | target; all (N, 3, H, W) in 0..1, `lr` smaller."""
    height, width = target.shape[-2:]
    columns = [column.float().cpu() for column in (resize_bicubic(lr.float().cpu(), height, width), restored, target)]
    rows = torch.cat([column.clamp(0, 1) for column in columns], dim=3)
    return (torch.cat(list(rows), dim=1) * 255).round().byte()


def save_picture(path: Path, pixels: Tensor) -> None:
    """Write uint8 (3, H, W)."""
    Image.fromarray(pixels.permute(1, 2, 0).numpy()).save(path)
