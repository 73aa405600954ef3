"""Move pictures along optical flow."""

import torch
import torch.nn.functional as F
from torch import Tensor


def warp(images: Tensor, flow: Tensor) -> Tensor:
    """Return `images` (N, C, H, W) looked up at each pixel plus `flow` (N, 2, H, W) in pixels of `images`.

    Backward warping, bilinear; outside the picture its nearest edge pixel repeats. Values and channels are free, so
    latents work as well. Positions and weights are float32 whatever the dtype of `images`, which the result keeps.
    """
    height, width = images.shape[-2:]
    x, y = positions(flow)
    grid = torch.stack([2 * x / max(width - 1, 1) - 1, 2 * y / max(height - 1, 1) - 1], dim=-1)
    # Clamping repeats the edges; padding_mode="border" does the same but is missing on MPS before torch 2.13.
    return F.grid_sample(images.float(), grid.clamp(-1, 1), align_corners=True).to(images.dtype)


def positions(flow: Tensor) -> tuple[Tensor, Tensor]:
    """Return x and y, each float32 (N, H, W), of where `flow` (N, 2, H, W) points, in pixels from the top left one."""
    height, width = flow.shape[-2:]
    flow = flow.float()
    across, down = torch.arange(width, device=flow.device), torch.arange(height, device=flow.device)
    return across + flow[:, 0], down[:, None] + flow[:, 1]
