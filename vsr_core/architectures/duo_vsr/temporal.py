"""Where a token is in time, height and width: rotary position embedding, as Wan2.1 has it."""

import torch
from torch import Tensor, nn

BASE = 10000.0


class RotaryPositions(nn.Module):
    """Return the angles by which attention turns queries and keys, as cosines and sines.

    Takes the place of diffusers' `rope`, whose tables are buffers: those would stay on `meta`, or be rounded to the
    computing dtype. Positions count from 0 in every window and tile.
    """

    def __init__(self, *, head_width: int, patch: int):
        super().__init__()
        self.patch = patch
        side = head_width // 6 * 2
        self.widths = (head_width - 2 * side, side, side)

    def forward(self, latent: Tensor) -> tuple[Tensor, Tensor]:
        """Map latents (N, C, F, H, W) to two float32 tables (1, F * H / patch * W / patch, 1, head_width)."""
        frames, height, width = latent.shape[-3:]
        sizes = (frames, height // self.patch, width // self.patch)
        angles = []
        for axis, (size, channels) in enumerate(zip(sizes, self.widths)):
            shape = [size if other == axis else 1 for other in range(3)]
            angles.append(_angles(size, channels).view(*shape, channels).expand(*sizes, channels))
        table = torch.cat(angles, -1).view(1, -1, 1, sum(self.widths))
        return table.cos().float().to(latent.device), table.sin().float().to(latent.device)


def _angles(size: int, channels: int) -> Tensor:
    """Return the angles (size, channels) of positions 0, 1, ...; two neighbouring channels turn together."""
    speeds = BASE ** (-torch.arange(0, channels, 2, dtype=torch.float64, device="cpu") / channels)
    positions = torch.arange(size, dtype=torch.float64, device="cpu")
    return torch.outer(positions, speeds).repeat_interleave(2, -1)
