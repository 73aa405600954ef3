"""Stable Diffusion's noise schedule: square roots of the variances grow linearly."""

from itertools import accumulate
from operator import mul

from torch import Tensor

STEPS = 1000
FIRST, LAST = 0.00085, 0.012
"""Variances of the first and the last step (stabilityai/stable-diffusion-2-1-base, scheduler_config.json)."""


def alphas_cumprod() -> list[float]:
    """Return the share of the signal's variance that is left after each of the steps 0..999."""
    roots = (FIRST**0.5 + (LAST**0.5 - FIRST**0.5) * step / (STEPS - 1) for step in range(STEPS))
    return list(accumulate((1 - root**2 for root in roots), mul))


def clean_latent(noisy: Tensor, noise: Tensor, alpha_cumprod: float) -> Tensor:
    """Return the latent without its `noise`, both of one shape (OS-DiffVSR, equation 2)."""
    return (noisy - (1 - alpha_cumprod) ** 0.5 * noise) / alpha_cumprod**0.5
