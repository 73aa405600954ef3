"""A network from scratch begins as a wavelet transform with everything else at rest."""

from dataclasses import replace

import pytest
import torch

from vsr_core.architectures.os_diffvsr import SMALL, TINY
from vsr_core.architectures.os_diffvsr.network import OSDiffVSR, enlarged
from vsr_core.training.data import SyntheticClips
from vsr_core.training.os_diffvsr.beginning import begin


def beginner(config) -> OSDiffVSR:
    torch.manual_seed(0)
    network = OSDiffVSR(config)
    begin(network)
    return network


@pytest.fixture(scope="module")
def frames() -> torch.Tensor:
    return SyntheticClips(frames=6, size=128)[0][0]


def correlation(first: torch.Tensor, second: torch.Tensor) -> float:
    return torch.corrcoef(torch.stack([first.flatten(), second.flatten()]))[0, 1].item()


def test_latents_are_brightness_and_three_kinds_of_detail_of_each_color(frames):
    with torch.no_grad():
        latents = beginner(SMALL).parts()["encoder"](enlarged(frames))[:, :12]
    a, b, c, d = (frames[..., y::2, x::2] for y in (0, 1) for x in (0, 1))
    bands = torch.cat([a + b + c + d, a - b + c - d, a + b - c - d, a - b - c + d], 1)
    inside = (slice(None), slice(1, -1), slice(1, -1))
    found = [correlation(latents[:, band][inside], bands[:, band][inside]) for band in range(12)]
    assert min(found) > 0.9


def test_a_latent_of_few_channels_holds_the_first_of_them(frames):
    with torch.no_grad():
        latents = beginner(replace(TINY, norm_groups=1)).parts()["encoder"](enlarged(frames))[:, :3]
    brightness = torch.nn.functional.avg_pool2d(frames, 2)
    assert min(correlation(latents[:, color], brightness[:, color]) for color in range(3)) > 0.9


def test_the_middle_of_the_latents_is_all_there_is(frames):
    with torch.no_grad():
        deviation = beginner(SMALL).parts()["encoder"](enlarged(frames))[:, SMALL.latent_channels :]
    assert deviation.max() < 1e-5


def test_no_noise_is_seen_in_any_latent():
    with torch.no_grad():
        noise = beginner(TINY).parts()["denoiser"](torch.rand(2, 4, 8, 8))
    assert noise.abs().max() == 0
