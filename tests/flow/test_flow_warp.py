import pytest
import torch
from flow.motions import MOTIONS, inner, motion, textures

from vsr_core.flow import warp

MEAN_ERROR, LARGEST_ERROR = 0.0025, 0.022
"""Of bilinear lookup on the texture, whose shortest waves are 8 pixels; its values have a deviation of 0.14."""


def test_warp_looks_up_where_the_flow_points():
    image = torch.arange(24.0).reshape(1, 2, 3, 4)
    flow = torch.zeros(1, 2, 3, 4)
    flow[:, 0], flow[:, 1] = 1, -1

    warped = warp(image, flow)

    torch.testing.assert_close(warped[..., 1:, :3], image[..., :2, 1:])


def test_edges_repeat_outside_the_picture():
    image = torch.arange(12.0).reshape(1, 1, 3, 4)
    right, up = torch.zeros(1, 2, 3, 4), torch.zeros(1, 2, 3, 4)
    right[:, 0], up[:, 1] = 100, -100.5

    torch.testing.assert_close(warp(image, right), image[..., -1:].expand(1, 1, 3, 4))
    torch.testing.assert_close(warp(image, up), image[:, :, :1].expand(1, 1, 3, 4))


def test_a_picture_of_one_pixel_stays():
    image = torch.tensor([0.3, 0.6]).reshape(1, 2, 1, 1)

    torch.testing.assert_close(warp(image, torch.full((1, 2, 1, 1), 0.4)), image)


def test_each_picture_follows_its_own_flow():
    images = torch.rand(3, 4, 20, 30, generator=torch.Generator().manual_seed(0))
    flow = 4 * torch.randn(3, 2, 20, 30, generator=torch.Generator().manual_seed(1))

    torch.testing.assert_close(warp(images, flow)[1:2], warp(images[1:2], flow[1:2]), rtol=0, atol=0)


@pytest.mark.parametrize("name", MOTIONS)
def test_a_picture_moved_by_a_known_motion_warps_back(name: str):
    before, after = textures(name)

    error = inner((warp(after, MOTIONS[name].float()) - before).abs())

    assert error.mean() < MEAN_ERROR
    assert error.max() < LARGEST_ERROR
    assert error.mean() < inner((after - before).abs()).mean() / 5


def test_an_opposite_flow_does_not_warp_back():
    before, after = textures("a pan")

    assert (warp(after, -motion(4.6, 2.2).float()) - before).abs().mean() > 0.1


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_wide_picture_in_half_precision_is_looked_up_as_exactly_as_in_float32(dtype: torch.dtype):
    ramp = torch.linspace(0, 1, 1001).expand(1, 4, 3, 1001).to(dtype)
    flow = torch.full((1, 2, 3, 1001), 0.375)

    warped = warp(ramp, flow)

    assert warped.dtype == dtype
    torch.testing.assert_close(warped, warp(ramp.float(), flow).to(dtype), rtol=0, atol=0)
    torch.testing.assert_close(warp(ramp, flow.to(dtype)), warped, rtol=0, atol=0)
