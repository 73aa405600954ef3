"""Noise is the same for a frame however the video is cut, and another for every frame and seed."""

import itertools

import torch

from vsr_core.schedulers.noise import frame_noise


def test_a_frame_draws_the_same_alone_and_among_others():
    together = frame_noise((4, 8, 6), 3, [5, 6, 7])
    assert together.shape == (3, 4, 8, 6)
    assert torch.equal(together[1:2], frame_noise((4, 8, 6), 3, [6]))


def test_every_seed_and_frame_draws_something_else():
    seeds = (0, 1, 2, 2**32, 2**32 + 1, 2**64 - 1)
    drawn = [frame_noise((64,), seed, [frame]) for seed in seeds for frame in (0, 1, 2**31)]
    assert all((a - b).abs().max() > 0.1 for a, b in itertools.combinations(drawn, 2))


def test_the_noise_is_standard_normal():
    noise = frame_noise((16, 64, 64), 0, range(4))
    assert abs(noise.mean().item()) < 0.01
    assert abs(noise.std().item() - 1) < 0.01
