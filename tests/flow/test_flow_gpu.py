"""Everything on a GPU gives what it gives on the CPU."""

import pytest
import torch
from flow.motions import panning
from flow.translation import Translation

from vsr_core.flow import DisFlow, RaftFlow, align, warp, warped_neighbours

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")]

TOLERANCE = {torch.float32: 1e-4, torch.float16: 1e-3, torch.bfloat16: 8e-3}


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_warping_on_a_gpu_equals_the_cpu(dtype: torch.dtype):
    generator = torch.Generator().manual_seed(0)
    images, flow = panning(3).to(dtype), 5 * torch.randn(3, 2, 72, 96, generator=generator)

    on_gpu = warp(images.cuda(), flow.cuda())

    assert on_gpu.dtype == dtype
    torch.testing.assert_close(on_gpu.cpu(), warp(images, flow), rtol=0, atol=TOLERANCE[dtype])


@pytest.mark.parametrize("occlusion", [False, True])
def test_aligning_on_a_gpu_equals_the_cpu(occlusion: bool):
    clip = panning(5)
    expected = align(clip, DisFlow(), occlusion=occlusion)

    found = align(clip.cuda(), DisFlow(), occlusion=occlusion)

    assert found.error.is_cuda and found.next.is_cuda
    assert torch.equal(found.next_flow.cpu(), expected.next_flow)
    hidden = expected.error.isinf()
    assert (found.error.cpu().isinf() != hidden).float().mean() < 1e-3
    known = ~(hidden | found.error.cpu().isinf())
    torch.testing.assert_close(found.error.cpu()[known], expected.error[known], rtol=0, atol=1e-3)
    for on_gpu, on_cpu in zip(warped_neighbours(clip.cuda(), found), warped_neighbours(clip, expected)):
        torch.testing.assert_close(on_gpu.cpu(), on_cpu, rtol=0, atol=TOLERANCE[torch.float32])


def test_a_network_on_the_gpu_takes_frames_from_the_cpu():
    clip = panning(3, x=4, y=-3)

    flow = RaftFlow(Translation().cuda())(clip[:-1], clip[1:])

    assert flow.device == clip.device
    assert (flow[:, 0] == 4).all()
