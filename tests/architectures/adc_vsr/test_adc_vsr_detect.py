"""Published files are recognised by their tensor names."""

import json
from pathlib import Path

import pytest
from restorers import tiny_network

from vsr_core.architectures.adc_vsr import detect

DATA = Path(__file__).parents[2] / "data"
NETWORK, DECODER = (
    list(json.loads((DATA / name).read_text())) for name in ("adcsr_net_keys.json", "adcsr_halfdecoder_keys.json")
)


@pytest.mark.parametrize("prefix", ["", "module."])
def test_adcsrs_network_is_recognised(prefix):
    assert "AdcSR network" in detect([prefix + name for name in NETWORK])


@pytest.mark.parametrize("prefix", ["decoder.", "module.decoder."])
def test_adcsrs_half_decoder_is_recognised(prefix):
    assert "half decoder" in detect([prefix + name for name in DECODER])


@pytest.mark.parametrize("find", [NETWORK, ["decoder." + name for name in DECODER]])
def test_the_hint_says_how_to_convert(find):
    assert "python -m vsr_core convert adc_vsr" in detect(find)


def test_a_whole_autoencoder_is_no_half_decoder():
    assert detect(["decoder." + name for name in DECODER] + ["encoder.conv_in.weight"]) is None


@pytest.mark.parametrize("names", [[], ["weight"], ["model.diffusion_model.input_blocks.0.0.weight"]])
def test_other_files_are_not_recognised(names):
    assert detect(names) is None


def test_our_own_files_are_no_published_ones():
    assert detect(tiny_network().state_dict()) is None
