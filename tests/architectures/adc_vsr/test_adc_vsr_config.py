"""A config that describes no network is refused before anything is built."""

from dataclasses import replace

import pytest

from vsr_core.architectures.adc_vsr import PAPER, SMALL, TINY
from vsr_core.architectures.adc_vsr.config import AdcVSRConfig


@pytest.mark.parametrize(
    "change",
    [
        {"unshuffle": 0},
        {"unshuffle": 3},
        {"unshuffle": 1 << 20},
        {"channels": (8, 0)},
        {"channels": (8, 16, 16)},
        {"channels": (8,) * 64, "heads": (0,) * 64},
        {"heads": (2,)},
        {"heads": (3, 0)},
        {"middle_heads": 5},
        {"layers": 0},
        {"layers": 1 << 20},
        {"decoder_layers": 1 << 20},
        {"decoder_channels": (16,)},
        {"decoder_channels": (8,) * 64},
        {"feature_channels": 0},
        {"window": 0},
        {"color": "sepia"},
    ],
)
def test_values_that_describe_no_network_are_refused_by_name(change):
    with pytest.raises(ValueError, match=next(iter(change))):
        replace(TINY, **change)


@pytest.mark.parametrize("config", [PAPER, SMALL, TINY, replace(PAPER, temporal=False), AdcVSRConfig()])
def test_our_own_configs_are_fine(config):
    assert config.scale == 4
    assert config.multiple in (4, 8, 16)
