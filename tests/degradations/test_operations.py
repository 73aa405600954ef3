"""Each operation alone: what it keeps, what it changes and by how much."""

import numpy as np
import pytest

from vsr_core.degradations import kernels, operations


@pytest.fixture
def frames():
    """A smooth coloured pattern that moves, (4, 48, 40, 3) in 0..1."""
    t, y, x = np.mgrid[:4, :48, :40].astype(np.float32)
    waves = [np.sin(x / 3 + t), np.sin(y / 4 - t), np.sin((x + y) / 5)]
    return (0.5 + 0.35 * np.stack(waves, -1)).astype(np.float32)


def constant(value, frames=2, height=24, width=20):
    return np.full((frames, height, width, 3), value, np.float32)


def mean_squared_error(a, b):
    return float(((a - b) ** 2).mean())


def test_blur_keeps_a_constant_clip():
    blurred = operations.blur(constant(0.3), [kernels.gaussian(11, 2.0, 1.0, 0.5)] * 2)
    np.testing.assert_allclose(blurred, 0.3, atol=1e-6)


def test_blur_of_a_point_is_the_kernel_of_its_frame():
    point = np.zeros((2, 21, 21, 3), np.float32)
    point[:, 10, 10] = 1
    narrow, wide = kernels.gaussian(7, 0.8, 0.8, 0.0), kernels.gaussian(7, 2.0, 2.0, 0.0)
    blurred = operations.blur(point, [narrow, wide])
    np.testing.assert_allclose(blurred[0, 7:14, 7:14, 1], narrow, atol=1e-6)
    np.testing.assert_allclose(blurred[1, 7:14, 7:14, 1], wide, atol=1e-6)


@pytest.mark.parametrize("method", ["area", "bilinear", "bicubic", "bicubic_antialiased"])
def test_resize_reaches_the_size_and_keeps_a_constant_clip(method):
    resized = operations.resize(constant(0.6), 7, 31, method)
    assert resized.shape == (2, 7, 31, 3)
    np.testing.assert_allclose(resized, 0.6, atol=1e-5)


def test_area_resize_averages_blocks():
    clip = np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1).repeat(3, -1) / 16
    halved = operations.resize(clip, 2, 2, "area")[0, ..., 0] * 16
    np.testing.assert_allclose(halved, [[2.5, 4.5], [10.5, 12.5]], atol=1e-5)


@pytest.mark.parametrize(
    ("method", "aliases"),
    [("bicubic_antialiased", False), ("area", False), ("bilinear", True), ("bicubic", True)],
)
def test_fine_stripes_alias_only_with_the_plain_methods(method, aliases):
    stripes = np.zeros((1, 40, 40, 3), np.float32)
    stripes[:, :, 1::3] = 1
    reduced = operations.resize(stripes, 10, 10, method)
    assert (reduced[:, :, 2:-2].std() > 0.2) == aliases


@pytest.mark.parametrize("gray", [False, True])
def test_gaussian_noise_has_the_stated_sigma_in_each_frame(gray):
    clip = constant(0.5, height=128, width=128)
    noisy = operations.gaussian_noise(clip, [5, 20], gray=gray, rng=np.random.default_rng(0))
    measured = (noisy - clip).std((1, 2, 3)) * 255
    np.testing.assert_allclose(measured, [5, 20], rtol=0.03)


@pytest.mark.parametrize("noise", [operations.gaussian_noise, operations.poisson_noise])
def test_gray_noise_is_equal_in_all_channels_and_colour_noise_is_not(noise):
    clip = constant(0.5)
    gray = noise(clip, [2.0, 2.0], gray=True, rng=np.random.default_rng(0)) - clip
    colour = noise(clip, [2.0, 2.0], gray=False, rng=np.random.default_rng(0)) - clip
    np.testing.assert_allclose(gray[..., 0], gray[..., 2], atol=1e-6)
    assert np.abs(colour[..., 0] - colour[..., 2]).max() > 0.004


def test_poisson_noise_grows_with_the_root_of_the_light():
    dark, bright = (constant(light, height=128, width=128) for light in (0.1, 0.4))
    deviations = [
        (operations.poisson_noise(clip, [1, 1], gray=False, rng=np.random.default_rng(1)) - clip).std()
        for clip in (dark, bright)
    ]
    expected = [np.sqrt(0.1 / 256), np.sqrt(0.4 / 256)]
    np.testing.assert_allclose(deviations, expected, rtol=0.03)


def test_noise_stays_between_zero_and_one():
    clip = np.concatenate([constant(0.0), constant(1.0)])
    for noise in (operations.gaussian_noise, operations.poisson_noise):
        noisy = noise(clip, [60] * 4, gray=False, rng=np.random.default_rng(0))
        assert noisy.min() >= 0
        assert noisy.max() <= 1


def test_jpeg_loses_more_the_lower_its_quality(frames):
    compressed = [operations.jpeg(frames, [quality] * 4) for quality in (95, 70, 40, 10)]
    losses = [mean_squared_error(clip, frames) for clip in compressed]
    assert losses == sorted(losses)
    assert losses[0] > 0
    assert losses[-1] > 4 * losses[0]


def test_jpeg_keeps_the_order_of_colours():
    red = np.zeros((1, 16, 16, 3), np.float32)
    red[..., 0] = 1
    np.testing.assert_allclose(operations.jpeg(red, [95])[0, 8, 8], [1, 0, 0], atol=0.02)


def test_each_frame_has_its_own_jpeg_quality(frames):
    compressed = operations.jpeg(frames, [95, 10, 95, 10])
    losses = ((compressed - frames) ** 2).mean((1, 2, 3))
    assert min(losses[1], losses[3]) > max(losses[0], losses[2])


def test_eight_bit_conversion_rounds_to_the_nearest_level():
    values = np.array([0.0, 0.4 / 255, 0.6 / 255, 1.0], np.float32)
    assert operations.to_uint8(values).tolist() == [0, 0, 1, 255]
    np.testing.assert_allclose(operations.to_float(np.array([0, 51, 255], np.uint8)), [0, 0.2, 1])
