"""Enlargement and the convolution after it become one transposed convolution with the same result."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from vsr_core.architectures.upsampling import merge_upsampling


class Enlarge(nn.Module):
    """Nearest-neighbour enlargement, then a convolution."""

    def __init__(self, channels_in: int, channels_out: int):
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels_out, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))


@pytest.mark.parametrize("size", [(5, 7), (1, 1), (8, 4)])
def test_the_merged_layer_gives_the_same_picture(size):
    torch.manual_seed(0)
    network, x = nn.Sequential(Enlarge(6, 4)), torch.randn(2, 6, *size)
    expected = network(x)
    merge_upsampling(network, ["0"])
    assert torch.allclose(network(x), expected, atol=1e-5)


def test_only_the_named_modules_are_replaced():
    network = nn.Sequential(Enlarge(2, 2), nn.Sequential(nn.SiLU(), Enlarge(2, 2)))
    merge_upsampling(network, ["1.1"])
    assert isinstance(network[0], Enlarge)
    assert isinstance(network[1][1], nn.ConvTranspose2d)


def test_a_merged_layer_asks_for_no_gradient():
    network = nn.Sequential(Enlarge(2, 2))
    merge_upsampling(network, ["0"])
    assert not any(value.requires_grad for value in network.parameters())
