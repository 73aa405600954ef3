"""Multi-frame fusion: each latent is joined with those of its aligned neighbours (paper section 3.3).

The three latents of a frame are always in the order previous, own, next.
"""

from dataclasses import replace

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from ...flow import Aligned, warped_neighbours

OWN = 1


class MultiFrameFusion(nn.Module):
    """Say how much of each of three aligned latents to take at every position (equations 10, 11 and 13).

    The three latents of a position are the tokens. There is no value projection: the weights mix the latents
    themselves, so the result stays in the autoencoder's latent space.

    Untrained, every query and key is the latent itself, cut into or repeated for the heads: fusing is averaging
    weighted by similarity. Every latent is similar to itself too, so it is not far from the plain mean; the mask
    keeps out what does not fit.
    """

    def __init__(self, *, channels: int, heads: int, width: int, scale: float):
        """Take latents of `channels`, multiplied by `scale` before they are compared; `width` is d_k."""
        super().__init__()
        self.heads, self.scale = heads, scale
        self.to_q = nn.Linear(channels, heads * width, bias=False)
        self.to_k = nn.Linear(channels, heads * width, bias=False)
        for projection in (self.to_q, self.to_k):
            repeats = -(-heads * width // channels)
            with torch.no_grad():
                projection.weight.copy_(torch.eye(channels).repeat(repeats, 1)[: heads * width])

    def forward(self, latents: Tensor) -> Tensor:
        """Map latents (N, 3, C, H, W) to weights (N, 3, 1, H, W) that are above 0 and sum to 1."""
        tokens = rearrange(latents, "n t c h w -> n h w t c") * self.scale
        q, k = (
            rearrange(project(tokens), "n h w t (m d) -> n h w m t d", m=self.heads)
            for project in (self.to_q, self.to_k)
        )
        attention = (q @ k.transpose(-2, -1) / k.shape[-1] ** 0.5).softmax(-1)
        weights = attention.mean((-3, -2))  # over the heads (equation 13), and over the three rows (equation 12)
        return rearrange(weights, "n h w t -> n t 1 h w")


def fuse(latents: Tensor, weights: Tensor, mask: Tensor) -> Tensor:
    """Return the fused latents (N, C, H, W) of aligned ones (N, 3, C, H, W), where the mask (N, 1, H, W) is 1.

    Equation 12, written as a change of the own latent: where the three agree, or the mask is 0, it stays exactly.
    """
    own = latents[:, OWN]
    change = (latents - own.unsqueeze(1)) * weights
    return own + mask * change.sum(1)


def trusted(aligned: Aligned, *, alpha: float, mu: float, height: int, width: int, stride: int) -> Tensor:
    """Return the hard mask (N, 1, height, width) of latent cells in which every pixel is aligned (equation 14)."""
    sure = (aligned.confidence(alpha) > mu).float()
    sure = _extended(sure, height * stride, width * stride)
    return 1 - F.max_pool2d(1 - sure, stride)


def from_pixels(latents: Tensor) -> Tensor:
    """Return (N, 3, C, H, W) of the latents (3N, C, H, W) of all warped previous, own and warped next frames."""
    return rearrange(latents, "(t n) c h w -> n t c h w", t=3)


def from_latents(latents: Tensor, aligned: Aligned, stride: int) -> Tensor:
    """Return (N, 3, C, H, W): each frame's latent between its neighbours', warped, out of a clip's (T, C, H, W)."""
    height, width = (stride * side for side in latents.shape[-2:])

    def in_cells(flow: Tensor) -> Tensor:
        return F.avg_pool2d(_extended(flow, height, width), stride) / stride

    cells = replace(aligned, previous_flow=in_cells(aligned.previous_flow), next_flow=in_cells(aligned.next_flow))
    previous, next = warped_neighbours(latents, cells)
    return torch.stack([previous, latents[aligned.frame], next], 1)


def _extended(maps: Tensor, height: int, width: int) -> Tensor:
    """Repeat the last row and column of (N, C, H, W) up to `height` and `width`."""
    return F.pad(maps, (0, width - maps.shape[-1], 0, height - maps.shape[-2]), mode="replicate")
