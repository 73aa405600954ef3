"""A config that describes no network is refused before anything is built."""

from dataclasses import replace

import pytest

from vsr_core.architectures.os_diffvsr import PAPER, SMALL, TINY
from vsr_core.architectures.os_diffvsr.config import OSDiffVSRConfig
from vsr_core.checkpoints.metadata import config_from_json, config_to_json


@pytest.mark.parametrize(
    "change",
    [
        {"channels": (8, 0)},
        {"channels": (8, 16, 16)},
        {"channels": (8, 10)},
        {"channels": (7, 14), "norm_groups": 7, "heads": (0, 0), "vae_channels": (7, 7, 7)},
        {"channels": (8,) * 64, "heads": (0,) * 64},
        {"heads": (2,)},
        {"heads": (3, 0)},
        {"middle_heads": 5},
        {"middle_heads": 4, "heads": (2, 2)},
        {"layers": 0},
        {"layers": 1 << 20},
        {"prompt_width": 0},
        {"prompt_tokens": 0},
        {"vae_channels": (8, 8)},
        {"vae_channels": (8,) * 64},
        {"vae_channels": (8, 8, 9)},
        {"vae_layers": 0},
        {"vae_layers": 1 << 20},
        {"norm_groups": 0},
        {"norm_groups": 3},
        {"latent_channels": 0},
        {"latent_scale": 0.0},
        {"latent_scale": float("nan")},
        {"fusion_heads": 0},
        {"fusion_width": 0},
        {"alpha": 0.0},
        {"alpha": float("inf")},
        {"mu": -0.1},
        {"mu": 1.1},
        {"mu": float("nan")},
        {"timestep": 1000},
        {"alignment": "sideways"},
        {"window": 0},
        {"color": "sepia"},
    ],
)
def test_values_that_describe_no_network_are_refused_by_name(change):
    with pytest.raises(ValueError, match=next(iter(change))):
        replace(TINY, **change)


@pytest.mark.parametrize("config", [PAPER, SMALL, TINY, OSDiffVSRConfig()])
def test_our_own_configs_survive_a_file(config):
    assert config_from_json(OSDiffVSRConfig, config_to_json(config)) == config


def test_the_papers_frames_come_in_multiples_of_16_pixels_and_latents_at_half_their_size():
    assert (PAPER.multiple, PAPER.latent_stride) == (16, 2)
