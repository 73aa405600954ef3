"""On a CUDA device: the same picture, the promised memory, and halved tiles where it is short."""

import pytest
import torch
from restorers import tiny_restorer
from tolerances import TOLERANCE

from vsr_core.architectures.adc_vsr import PAPER
from vsr_core.architectures.adc_vsr.network import AdcVSR
from vsr_core.architectures.adc_vsr.restorer import AdcVSRRestorer
from vsr_core.load import cast
from vsr_core.restore import Settings, restore
from vsr_core.runtime import StandaloneRuntime

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")]


def restored(restorer, clip, device, dtype="fp32"):
    return torch.cat([part.cpu() for part in restore(clip, restorer, StandaloneRuntime(device, dtype), Settings())])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_cuda_gives_the_picture_that_the_cpu_gives(dtype):
    clip = torch.rand(7, 3, 40, 56)
    expected = restored(tiny_restorer(), clip, "cpu")
    result = restored(cast(tiny_restorer(), dtype), clip, "cuda")
    assert (result - expected).abs().max() < 10 * TOLERANCE[dtype]


@pytest.mark.parametrize("stage", ["step", "decode"])
def test_the_memory_estimate_covers_what_the_paper_network_uses(stage):
    with torch.device("cuda"):
        restorer = AdcVSRRestorer(AdcVSR(PAPER).half().eval().requires_grad_(False))
    clip = torch.rand(4, 3, 192, 192, device="cuda")
    with torch.no_grad():
        latent = restorer.encode(clip) if stage == "step" else restorer.step(restorer.encode(clip))
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        restorer.step(latent) if stage == "step" else restorer.decode(latent, clip)
    used = torch.cuda.max_memory_allocated() - before
    assert used <= restorer.memory_bytes(stage, 4, 192, 192, torch.float16) < 3 * used


def test_a_device_that_is_nearly_full_still_finishes():
    restorer, clip = tiny_restorer(), torch.rand(5, 3, 256, 256)
    expected = restored(restorer, clip, "cuda")
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(64 * 2**20 / torch.cuda.mem_get_info()[1])
    try:
        result = restored(restorer, clip, "cuda")
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert result.shape == expected.shape
