"""Rectified flow: straight lines from data at t = 0 to noise at t = 1 (DUO-VSR; Liu et al. 2022)."""

from collections.abc import Callable

from torch import Tensor


def noised(clean: Tensor, noise: Tensor, t: Tensor) -> Tensor:
    """Return z_t = (1 - t) z_0 + t eps of tensors (N, ...) at times `t` (N,) in 0..1."""
    t = _along(t, clean)
    return (1 - t) * clean + t * noise


def clean_latent(noisy: Tensor, velocity: Tensor, t: Tensor) -> Tensor:
    """Return z_0 = z_t - t v, where v = eps - z_0, of tensors (N, ...) at times `t` (N,)."""
    return noisy - _along(t, noisy) * velocity


def euler(velocity: Callable[[Tensor, Tensor], Tensor], noisy: Tensor, t: Tensor, span: float, steps: int) -> Tensor:
    """Follow `velocity(z_t, t)` from z_t (N, ...) at `t` (N,) to t - span in equal Euler steps."""
    for _ in range(steps):
        noisy = noisy - span / steps * velocity(noisy, t)
        t = t - span / steps
    return noisy


def _along(t: Tensor, like: Tensor) -> Tensor:
    return t.view(-1, *[1] * (like.ndim - 1))
