"""Photographs that become moving clips."""

import numpy as np
import pytest
from training.clip_files import textured

from vsr_core.errors import ClipError
from vsr_core.training.data import motion, quality


def test_a_photograph_becomes_a_clip_that_moves_smoothly_and_stays_sharp():
    photo = textured(400, 500)
    for seed in range(8):
        clip = motion.moving_clip(photo, 7, 64, np.random.default_rng(seed))
        assert clip.shape == (7, 64, 64, 3)
        path = motion.random_path(150, 200, 7, 64, np.random.default_rng(seed))
        positions = np.stack([path.x, path.y], 1)
        assert np.abs(np.diff(positions, n=2, axis=0)).max() < 1.5
        assert np.abs(np.diff(positions, axis=0)).max() < 10
        assert quality.detail(clip[3]) > 0.1 * quality.detail(photo)


def test_the_camera_never_looks_beyond_the_picture():
    for seed in range(40):
        path = motion.random_path(110, 300, 7, 64, np.random.default_rng(seed))
        assert (path.x - 32 * path.zoom).min() >= -1
        assert (path.x + 32 * path.zoom).max() <= 301
        assert path.y.min() >= 32
        assert path.y.max() <= 78


def test_a_still_camera_shows_exactly_the_picture_beneath_it():
    picture = textured(80, 90)
    still = motion.CameraPath(
        x=np.full(2, 40.5), y=np.full(2, 37.5), zoom=np.ones(2), angle=np.zeros(2), tilt=np.zeros((2, 2))
    )
    clip = motion.follow(picture, still, 32)
    np.testing.assert_array_equal(clip[0], picture[22:54, 25:57])
    np.testing.assert_array_equal(clip[1], clip[0])


def test_a_camera_that_moves_half_a_pixel_interpolates():
    picture = np.zeros((40, 40, 3), np.uint8)
    picture[:, 20:] = 200
    half = motion.CameraPath(
        x=np.array([20.0]), y=np.array([19.5]), zoom=np.ones(1), angle=np.zeros(1), tilt=np.zeros((1, 2))
    )
    row = motion.follow(picture, half, 16)[0, 8, :, 0]
    assert row[7] == pytest.approx(100, abs=3)


def test_a_photograph_too_small_to_move_in_is_refused():
    with pytest.raises(ClipError, match="100x70"):
        motion.moving_clip(textured(70, 100), 3, 64, np.random.default_rng(0))
