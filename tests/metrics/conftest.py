"""Clips whose metrics can be predicted."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor
from torchvision_operators import make_torchvision_importable

from vsr_core.clip import resize_bicubic

make_torchvision_importable()


@pytest.fixture
def texture() -> Tensor:
    """Return a smooth random picture (3, 200, 240) in 0.1..0.9."""
    noise = torch.rand(1, 3, 200, 240, generator=torch.Generator().manual_seed(0))
    smooth = F.avg_pool2d(noise, 5, stride=1, padding=2, count_include_pad=False)[0]
    return 0.1 + 0.8 * (smooth - smooth.min()) / (smooth.max() - smooth.min())


@pytest.fixture
def panning_clip(texture: Tensor) -> Tensor:
    """Return four frames (4, 3, 128, 160) of the picture, each moved by 3 pixels to the left."""
    return torch.stack([texture[:, 10:138, 10 + 3 * t : 170 + 3 * t] for t in range(4)])


@pytest.fixture
def write_clip(tmp_path: Path) -> Callable[[str, Tensor], Path]:
    """Return a function that writes (T, 3, H, W) in 0..1 as the PNG files of a folder with that name."""

    def write(name: str, clip: Tensor) -> Path:
        folder = tmp_path / name
        folder.mkdir(parents=True)
        for index, frame in enumerate((clip * 255).round().byte().permute(0, 2, 3, 1).contiguous().numpy()):
            Image.fromarray(frame).save(folder / f"{index:03d}.png")
        return folder

    return write


@pytest.fixture
def clips(write_clip, panning_clip: Tensor) -> dict[str, Path]:
    """Return SR, HR and LR of one clip: SR is HR made brighter by 10 of 255, LR is a quarter as large."""
    hr = (panning_clip * 255).round() / 255
    return {
        "sr": write_clip("sr", (hr + 10 / 255).clamp(0, 1)),
        "hr": write_clip("hr", hr),
        "lr": write_clip("lr", resize_bicubic(hr, 32, 40)),
    }
