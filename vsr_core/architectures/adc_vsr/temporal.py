"""The 1D temporal residual block that turns AdcSR into AdcVSR (paper section 3.2, figure 2a)."""

import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn


class TemporalBlock(nn.Module):
    """Add two temporal convolutions with a ReLU between them; the second starts at zero, so the block at identity.

    The frames of a clip are the rows of one picture whose columns are all pixels: a 3x1 convolution over it is the
    1D convolution over time, and in channels-last memory that picture is a view. Clip ends are padded with zeros.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, (3, 1), padding=(1, 0))
        self.conv2 = nn.Conv2d(channels, channels, (3, 1), padding=(1, 0))
        nn.init.zeros_(self.conv2.weight)
        nn.init.zeros_(self.conv2.bias)

    def forward(self, x: Tensor, frames: int) -> Tensor:
        """Map (clips * frames, C, H, W) to the same shape."""
        picture = rearrange(x, "(b t) c h w -> b c t (h w)", t=frames)
        change = self.conv2(F.relu(self.conv1(picture)))
        return x + rearrange(change, "b c t (h w) -> (b t) c h w", h=x.shape[-2])
