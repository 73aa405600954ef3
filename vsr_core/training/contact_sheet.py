"""Pictures of what training sees and makes."""

from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from ..clip import resize_bicubic


def write_contact_sheet(path: Path, lr: Tensor, restored: Tensor, target: Tensor) -> None:
    """Write rows of bicubic input | restored | target; all (N, 3, H, W) in 0..1, `lr` smaller."""
    height, width = target.shape[-2:]
    columns = [resize_bicubic(lr, height, width), restored, target]
    rows = torch.cat([column.clamp(0, 1) for column in columns], dim=3)
    picture = torch.cat(list(rows), dim=1)
    pixels = (picture * 255).round().byte().permute(1, 2, 0).numpy()
    Image.fromarray(pixels).save(path)
