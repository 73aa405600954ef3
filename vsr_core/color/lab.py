"""Match colour but not brightness: statistics of the a and b channels of CIELAB."""

import torch
from torch import Tensor

from .statistics import SMOOTHING, adain

RGB_TO_XYZ = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
WHITE = (0.9505, 1.0, 1.0890)
LINEAR_BELOW = 6 / 29


def match_lab(
    frames: Tensor, reference: Tensor, before: Tensor | None = None, *, smoothing: float = SMOOTHING
) -> tuple[Tensor, Tensor]:
    """Return `frames` with the a and b statistics of `reference`, and the state; otherwise as `adain`."""
    source = to_lab(frames.clamp(0, 1))
    color, state = adain(source[:, 1:], to_lab(reference)[:, 1:], before, smoothing=smoothing)
    return to_rgb(torch.cat([source[:, :1], color], dim=1)), state


def to_lab(rgb: Tensor) -> Tensor:
    """Convert sRGB (T, 3, H, W) in 0..1 to CIELAB under D65: L in 0..100."""
    linear = torch.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = torch.einsum("ij,tjhw->tihw", _matrix(rgb), linear) / rgb.new_tensor(WHITE).view(3, 1, 1)
    f = torch.where(xyz > LINEAR_BELOW**3, xyz.clamp_min(1e-8) ** (1 / 3), xyz / (3 * LINEAR_BELOW**2) + 4 / 29)
    x, y, z = f.unbind(1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], dim=1)


def to_rgb(lab: Tensor) -> Tensor:
    """Convert CIELAB (T, 3, H, W) to sRGB; colours outside sRGB are clamped to 0..1."""
    lightness, a, b = lab.unbind(1)
    y = (lightness + 16) / 116
    f = torch.stack([y + a / 500, y, y - b / 200], dim=1)
    xyz = torch.where(f > LINEAR_BELOW, f**3, 3 * LINEAR_BELOW**2 * (f - 4 / 29)) * lab.new_tensor(WHITE).view(3, 1, 1)
    linear = torch.einsum("ij,tjhw->tihw", torch.linalg.inv(_matrix(lab)), xyz).clamp(0, 1)
    return torch.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear.clamp_min(1e-8) ** (1 / 2.4) - 0.055)


def _matrix(like: Tensor) -> Tensor:
    return like.new_tensor(RGB_TO_XYZ)
