"""Blur kernels: (size, size) float32 arrays that sum to 1 (Real-ESRGAN, Wang et al. 2021, section 3)."""

import numpy as np
from numpy import ndarray


def quadratic_form(size: int, sigma_x: float, sigma_y: float, angle: float) -> ndarray:
    """Return x^T Sigma^-1 x on a centred (size, size) grid; sigmas in pixels, angle in radians."""
    axis = np.arange(size) - size // 2
    x, y = np.meshgrid(axis, axis)
    along = x * np.cos(angle) + y * np.sin(angle)
    across = -x * np.sin(angle) + y * np.cos(angle)
    return (along / sigma_x) ** 2 + (across / sigma_y) ** 2


def gaussian(size: int, sigma_x: float, sigma_y: float, angle: float) -> ndarray:
    """Return exp(-q / 2), normalised."""
    return _normalised(np.exp(-0.5 * quadratic_form(size, sigma_x, sigma_y, angle)))


def generalized_gaussian(size: int, sigma_x: float, sigma_y: float, angle: float, beta: float) -> ndarray:
    """Return exp(-q^beta / 2), normalised."""
    return _normalised(np.exp(-0.5 * quadratic_form(size, sigma_x, sigma_y, angle) ** beta))


def plateau(size: int, sigma_x: float, sigma_y: float, angle: float, beta: float) -> ndarray:
    """Return 1 / (1 + q^beta), normalised."""
    return _normalised(1 / (1 + quadratic_form(size, sigma_x, sigma_y, angle) ** beta))


def sinc(size: int, omega: float) -> ndarray:
    """Return a circular low-pass filter that cuts off at `omega` radians per pixel; it makes edges ring."""
    axis = np.arange(size) - size // 2
    radius = np.hypot(*np.meshgrid(axis, axis))
    centre = size // 2
    radius[centre, centre] = 1.0
    kernel = omega * _bessel_j1(omega * radius) / (2 * np.pi * radius)
    kernel[centre, centre] = omega**2 / (4 * np.pi)
    return _normalised(kernel)


def _bessel_j1(x: ndarray) -> ndarray:
    """Return J1(x) = 1/pi * integral over 0..pi of cos(t - x sin t) dt, by the midpoint rule."""
    samples = 128
    t = (np.arange(samples) + 0.5) * np.pi / samples
    return np.cos(t - x[..., None] * np.sin(t)).mean(-1)


def _normalised(kernel: ndarray) -> ndarray:
    return (kernel / kernel.sum()).astype(np.float32)
