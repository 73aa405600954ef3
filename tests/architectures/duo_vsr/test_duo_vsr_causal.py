"""Convolution over time in fours and in bands is convolution over time."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from vsr_core.architectures.duo_vsr.causal import Carry, CausalConv, by_fours, convolve_next, shared_kernels, stacked


def frames(count: int, *, height: int = 21, channels: int = 5) -> list[Tensor]:
    generator = torch.Generator().manual_seed(count)
    return [torch.randn(2, height, 6, channels, generator=generator) for _ in range(count)]


def convolution(size: int) -> CausalConv:
    torch.manual_seed(0)
    return CausalConv(5, 7, size=size).requires_grad_(False)


def expected(conv: CausalConv, x: list[Tensor]) -> list[Tensor]:
    """Return a 3D convolution of frames, with zeros beside the pictures only."""
    video = torch.stack(x, 1).permute(0, 4, 1, 2, 3)
    padding = conv.weight.shape[-1] // 2
    return list(F.conv3d(video, conv.weight, conv.bias, padding=(0, padding, padding)).permute(2, 0, 3, 4, 1))


def assert_close(found: list[Tensor], wanted: list[Tensor]) -> None:
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-5)


@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("band", [1, 21 * 30, 10**9])
def test_products_shared_by_four_frames_are_a_convolution_in_bands_of_any_height(size, band):
    conv, x = convolution(size), frames(6)
    assert_close(by_fours(x, shared_kernels(conv.weight), conv.bias, band=band), expected(conv, x))


@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("count", [3, 4, 7])
def test_stacked_frames_are_a_convolution(size, count):
    conv, x = convolution(size), frames(count)
    assert_close(stacked(x, conv.weight, conv.bias), expected(conv, x))
    assert_close(stacked(x, conv.weight, conv.bias, step=2), expected(conv, x)[::2])


@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("count", [1, 2, 4, 5, 9])
def test_frames_before_the_shot_are_zero(size, count):
    conv, x = convolution(size), frames(count)
    assert_close(convolve_next(conv, x, Carry()), expected(conv, [torch.zeros_like(x[0])] * 2 + x))


@pytest.mark.parametrize("cut", range(1, 9))
def test_the_next_frames_go_on_where_the_last_ones_stopped(cut):
    conv, x, carry = convolution(3), frames(9), Carry()
    found = convolve_next(conv, x[:cut], carry) + convolve_next(conv, x[cut:], carry)
    assert_close(found, convolve_next(conv, x, Carry()))


def test_what_is_carried_is_moved_in_place():
    conv, carry = convolution(3), Carry()
    assert not carry
    convolve_next(conv, frames(3), carry)
    assert carry.to("meta") is carry
    assert carry and all(frame.is_meta for frame in carry.frames[conv])
