"""On a CUDA device: the same picture, and the promised memory."""

import pytest
import torch
from architectures.os_diffvsr.alignments import smooth
from architectures.os_diffvsr.published import tiny_network
from tolerances import TOLERANCE

from vsr_core.architectures.os_diffvsr import PAPER
from vsr_core.architectures.os_diffvsr.network import OSDiffVSR
from vsr_core.architectures.os_diffvsr.restorer import OSDiffVSRRestorer
from vsr_core.load import cast
from vsr_core.restore import Settings, restore
from vsr_core.runtime import StandaloneRuntime

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")]


def restored(clip, device, dtype=torch.float32, name="fp32"):
    restorer = cast(OSDiffVSRRestorer(tiny_network()), dtype)
    runtime = StandaloneRuntime(device, name)
    return torch.cat([part.cpu() for part in restore(clip, restorer, runtime, Settings())])


@pytest.mark.parametrize(
    ("dtype", "name"), [(torch.float32, "fp32"), (torch.float16, "fp16"), (torch.bfloat16, "bf16")]
)
def test_cuda_gives_the_picture_that_the_cpu_gives(dtype, name):
    clip = smooth(5, 3, 40, 56, x=1.0)
    difference = (restored(clip, "cuda", dtype, name) - restored(clip, "cpu")).abs()
    assert difference.mean() < TOLERANCE[dtype] * (10 if dtype == torch.float32 else 2)


@pytest.mark.parametrize("stage", ["encode", "step", "decode"])
def test_the_memory_estimate_covers_what_the_paper_network_uses(stage):
    with torch.device("cuda"):
        restorer = OSDiffVSRRestorer(OSDiffVSR(PAPER).half().eval().requires_grad_(False))
    clip, latent = torch.rand(2, 3, 192, 192, device="cuda"), torch.randn(2, 4, 96, 96, device="cuda")
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    with torch.no_grad():
        if stage == "encode":
            restorer.encode(clip)
        elif stage == "step":
            restorer.step(latent)
        else:
            restorer.decode(latent, clip)
    used = torch.cuda.max_memory_allocated() - before
    assert used <= restorer.memory_bytes(stage, 2, 192, 192, torch.float16) < 3 * used
