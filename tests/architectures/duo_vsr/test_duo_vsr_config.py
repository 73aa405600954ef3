"""A config that describes no network is refused before anything is built."""

import inspect
from dataclasses import replace

import pytest

from vsr_core.architectures.duo_vsr import PAPER, SMALL, TINY
from vsr_core.architectures.duo_vsr.config import DuoVSRConfig
from vsr_core.checkpoints.metadata import config_from_json, config_to_json


@pytest.mark.parametrize(
    "change",
    [
        {"layers": 0},
        {"layers": 1 << 20},
        {"heads": 0},
        {"head_width": 4},
        {"head_width": 13},
        {"ffn_width": 0},
        {"time_width": 0},
        {"time_width": 7},
        {"patch": 0},
        {"prompt_width": 0},
        {"prompt_tokens": 0},
        {"vae_width": 0},
        {"vae_width": 3, "vae_factors": (2, 1, 2, 2)},
        {"vae_factors": (1, 2, 4)},
        {"vae_factors": (1, 2, 4, 0)},
        {"vae_layers": 0},
        {"vae_layers": 1 << 20},
        {"latent_channels": 5},
        {"latent_mean": (0.0,)},
        {"latent_mean": (0.0, 0.0, 0.0, float("nan"))},
        {"latent_std": (1.0, 1.0, 1.0, 0.0)},
        {"latent_std": (1.0, 1.0, 1.0, float("inf"))},
        {"window": 0},
        {"window": 20},
        {"overlap": 3},
        {"overlap": 12},
        {"color": "sepia"},
    ],
)
def test_values_that_describe_no_network_are_refused_by_name(change):
    with pytest.raises(ValueError, match=next(iter(change))):
        replace(TINY, **change)


@pytest.mark.parametrize("config", [PAPER, SMALL, TINY, DuoVSRConfig()])
def test_our_own_configs_survive_a_file(config):
    assert config_from_json(DuoVSRConfig, config_to_json(config)) == config


def test_frames_come_in_multiples_of_16_output_pixels_and_latents_at_half_their_size():
    assert (4 * PAPER.multiple, PAPER.latent_stride) == (16, 2)


def test_the_papers_window_is_6_latent_frames():
    assert PAPER.window == 1 + 4 * 5


def test_latents_are_normalised_as_diffusers_does_for_wan():
    from diffusers import AutoencoderKLWan

    defaults = inspect.signature(AutoencoderKLWan).parameters
    assert tuple(defaults["latents_mean"].default) == PAPER.latent_mean
    assert tuple(defaults["latents_std"].default) == PAPER.latent_std
