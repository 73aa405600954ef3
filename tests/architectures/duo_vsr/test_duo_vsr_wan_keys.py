"""Wan's own names and diffusers' are translated into each other, all of them."""

from functools import partial

import pytest
import torch
from architectures.duo_vsr.published import OFFICIAL

from vsr_core.architectures.duo_vsr.config import PAPER
from vsr_core.architectures.duo_vsr.network import DuoVSR
from vsr_core.architectures.duo_vsr.wan_keys import official_dit_name, official_vae_name

TO_OFFICIAL = {"dit": official_dit_name, "vae": partial(official_vae_name, config=PAPER)}


@pytest.fixture(scope="module")
def shapes() -> dict[str, dict[str, list[int]]]:
    with torch.device("meta"):
        network = DuoVSR(PAPER)
    parts = {part: getattr(network, part).state_dict() for part in ("dit", "vae")}
    return {part: {name: list(value.shape) for name, value in found.items()} for part, found in parts.items()}


@pytest.mark.parametrize(("part", "count"), [("dit", 825), ("vae", 194)])
def test_every_tensor_has_a_published_name_and_its_shape(shapes, part, count):
    found = {TO_OFFICIAL[part](name): shape for name, shape in shapes[part].items()}
    if part == "dit":
        assert found["patch_embedding.weight"] == [1536, 32, 1, 2, 2]
        found["patch_embedding.weight"] = [1536, 16, 1, 2, 2]
    assert len(found) == count
    assert found == OFFICIAL[part]


@pytest.mark.parametrize("part", ["dit", "vae"])
def test_there_and_back_by_diffusers_own_converter_is_the_identity(shapes, part):
    from diffusers.loaders import single_file_utils

    convert = {
        "dit": single_file_utils.convert_wan_transformer_to_diffusers,
        "vae": single_file_utils.convert_wan_vae_to_diffusers,
    }[part]
    names = list(shapes[part])
    numbered = {TO_OFFICIAL[part](name): torch.tensor(number) for number, name in enumerate(names)}
    back = {name: names[int(number)] for name, number in convert(dict(numbered)).items()}
    assert back == {name: name for name in names}


def test_names_of_no_known_tensor_stay():
    assert official_dit_name("blocks.0.other.weight") == "blocks.0.other.weight"
    assert official_vae_name("other.weight", PAPER) == "other.weight"
