"""Published files are recognised by their tensor names."""

import json
from pathlib import Path

import pytest
from architectures.os_diffvsr.published import original_unet_name, tiny_network

from vsr_core.architectures import adc_vsr
from vsr_core.architectures.os_diffvsr import PAPER, detect

PUBLISHED = json.loads((Path(__file__).parents[2] / "data" / "osediff_keys.json").read_text())
FILES = {
    "an OSEDiff LoRA": list(PUBLISHED["osediff_pkl"]["state_dict_unet"]),
    "a Stable Diffusion checkpoint": [
        f"model.diffusion_model.{original_unet_name(name, PAPER)}" for name in PUBLISHED["base"]["unet"]
    ],
    "Stable Diffusion's UNet without its VAE": list(PUBLISHED["base"]["unet"]),
    "Stable Diffusion's VAE without its UNet": list(PUBLISHED["base"]["vae"]),
}


@pytest.mark.parametrize("what", FILES)
def test_files_are_recognised_and_the_hint_says_how_to_convert_them(what):
    hint = detect(FILES[what])
    assert hint.startswith(what)
    assert "`python -m vsr_core convert os_diffvsr --help`" in hint


def test_the_autoencoders_lora_is_recognised_too():
    assert detect(list(PUBLISHED["osediff_pkl"]["state_dict_vae"])).startswith("an OSEDiff LoRA")


@pytest.mark.parametrize("what", FILES)
def test_no_other_architecture_claims_them(what):
    assert adc_vsr.detect(FILES[what]) is None


@pytest.mark.parametrize("names", [[], ["weight"], ["model.diffusion_model.blocks.0.self_attn.q.weight"]])
def test_other_files_are_not_recognised(names):
    assert detect(names) is None


def test_our_own_files_are_no_published_ones():
    assert detect(tiny_network().state_dict()) is None
