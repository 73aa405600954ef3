"""Nearest-neighbour enlargement and the 3x3 convolution after it, computed in one step.

Every output pixel sees only 2x2 different input pixels, so the pair equals one transposed convolution with a 4x4
kernel and stride 2: 4 instead of 9 multiplications per output and channel pair, and no enlarged copy.
"""

from collections.abc import Iterable

import torch.nn.functional as F
from torch import Tensor, nn


def merge_upsampling(network: nn.Module, names: Iterable[str]) -> None:
    """Replace the modules of these names, which enlarge and then apply their `conv`, by transposed convolutions.

    The state dict of `network` changes; it is for inference from now on.
    """
    for name in list(names):
        parent, _, child = name.rpartition(".")
        setattr(network.get_submodule(parent), child, merged(network.get_submodule(name).conv))


def merged(conv: nn.Conv2d) -> nn.ConvTranspose2d:
    """Return the transposed convolution that equals nearest x2 followed by the 3x3 convolution `conv`."""
    layer = nn.ConvTranspose2d(conv.in_channels, conv.out_channels, 4, stride=2, padding=1, device="meta")
    kernel = enlarging_kernel(conv.weight.float()).to(conv.weight.dtype)
    layer.load_state_dict({"weight": kernel, "bias": conv.bias}, assign=True)
    return layer.requires_grad_(False)


def enlarging_kernel(weight: Tensor) -> Tensor:
    """Return the (in, out, 4, 4) transposed kernel that equals nearest x2 followed by `weight` (out, in, 3, 3)."""
    flipped = weight.flip(-2, -1).transpose(0, 1)
    rows = F.pad(flipped, (0, 0, 0, 1)) + F.pad(flipped, (0, 0, 1, 0))
    return F.pad(rows, (0, 1)) + F.pad(rows, (1, 0))
