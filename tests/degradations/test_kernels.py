"""Blur kernels against values worked out by hand and by scipy."""

import numpy as np
import pytest
from scipy.special import j1

from vsr_core.degradations import kernels

EVERY_KERNEL = {
    "gaussian": kernels.gaussian(21, 0.2, 3.0, 1.0),
    "generalized": kernels.generalized_gaussian(21, 2.0, 1.0, 0.5, 0.5),
    "plateau": kernels.plateau(21, 2.0, 1.0, 0.5, 2.0),
    "sinc": kernels.sinc(21, np.pi / 3),
}


@pytest.mark.parametrize("name", EVERY_KERNEL)
def test_every_kernel_sums_to_one_and_is_point_symmetric(name):
    kernel = EVERY_KERNEL[name]
    assert kernel.shape == (21, 21)
    assert kernel.dtype == np.float32
    assert kernel.sum() == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(kernel, kernel[::-1, ::-1], atol=1e-7)


def test_a_round_gaussian_falls_by_exp_of_minus_one_half_at_one_sigma():
    kernel = kernels.gaussian(21, 2.0, 2.0, 0.3)
    assert kernel[10, 12] / kernel[10, 10] == pytest.approx(np.exp(-0.5), rel=1e-5)
    assert kernel[12, 10] / kernel[10, 10] == pytest.approx(np.exp(-0.5), rel=1e-5)


def test_a_long_gaussian_turned_by_a_right_angle_is_its_transpose():
    lying = kernels.gaussian(15, 3.0, 1.0, 0.0)
    assert lying[7, 10] > lying[10, 7]
    np.testing.assert_allclose(kernels.gaussian(15, 3.0, 1.0, np.pi / 2), lying.T, atol=1e-7)


def test_generalized_gaussian_with_beta_one_is_the_gaussian():
    expected = kernels.gaussian(11, 1.5, 0.7, 0.4)
    np.testing.assert_allclose(kernels.generalized_gaussian(11, 1.5, 0.7, 0.4, 1.0), expected, atol=1e-7)


def test_plateau_is_half_its_peak_at_one_sigma():
    kernel = kernels.plateau(21, 3.0, 3.0, 0.0, 2.0)
    assert kernel[10, 13] / kernel[10, 10] == pytest.approx(0.5, rel=1e-5)


def test_sinc_follows_the_bessel_formula_and_has_negative_lobes():
    omega = 1.3
    kernel = kernels.sinc(13, omega)
    expected = (omega * j1(omega * 3) / (2 * np.pi * 3)) / (omega**2 / (4 * np.pi))
    assert kernel[6, 9] / kernel[6, 6] == pytest.approx(expected, rel=1e-4)
    assert kernel.min() < 0
