"""The noise schedule is Stable Diffusion's, and a step takes away exactly the noise that it is told."""

import pytest
import torch

from vsr_core.schedulers.scaled_linear import STEPS, alphas_cumprod, clean_latent


def test_the_schedule_is_the_one_diffusers_computes():
    diffusers = pytest.importorskip("diffusers")
    scheduler = diffusers.DDPMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
    assert torch.allclose(torch.tensor(alphas_cumprod()), scheduler.alphas_cumprod, rtol=1e-4)


def test_less_of_the_signal_is_left_after_every_step():
    left = alphas_cumprod()
    assert len(left) == STEPS
    assert 0 < left[-1] < 0.005 < 0.999 < left[0] < 1
    assert all(later < earlier for earlier, later in zip(left, left[1:]))


@pytest.mark.parametrize("timestep", [0, 500, 999])
def test_a_step_takes_away_the_noise_that_was_added(timestep):
    clean, noise = torch.randn(2, 1, 4, 3, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    left = alphas_cumprod()[timestep]
    noisy = left**0.5 * clean + (1 - left) ** 0.5 * noise
    assert torch.allclose(clean_latent(noisy, noise, left), clean, atol=1e-12)
