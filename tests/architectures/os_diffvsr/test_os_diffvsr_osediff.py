"""osediff.pkl is read as data, and believed only if its parts agree."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from architectures.os_diffvsr.published import osediff, tiny_network

from vsr_core.architectures.os_diffvsr.config import PAPER, TINY
from vsr_core.architectures.os_diffvsr.network import OSDiffVSR
from vsr_core.architectures.os_diffvsr.osediff import read_osediff
from vsr_core.errors import CheckpointError

PUBLISHED = json.loads((Path(__file__).parents[2] / "data" / "osediff_keys.json").read_text())["osediff_pkl"]


@pytest.fixture
def content() -> dict:
    return osediff(tiny_network())


@pytest.fixture
def file(tmp_path) -> Path:
    return tmp_path / "osediff.pkl"


class Bomb:
    """Creates a folder when it is unpickled."""

    def __init__(self, folder: Path):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


def test_the_files_of_these_tests_have_the_published_names_and_shapes():
    with torch.device("meta"):
        network = OSDiffVSR(PAPER)
    made = osediff(network)
    for part in ("state_dict_unet", "state_dict_vae"):
        assert {name: list(value.shape) for name, value in made[part].items()} == PUBLISHED[part]
    lists = [name for name in PUBLISHED if name.endswith("_modules")]
    assert {name: set(made[name]) for name in lists} == {name: set(PUBLISHED[name]) for name in lists}
    assert made.keys() == PUBLISHED.keys()


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("rank", [4, 32])
def test_all_tensors_are_read(file, zipped, rank):
    content = osediff(tiny_network(), rank=rank)
    torch.save(content, file, _use_new_zipfile_serialization=zipped)
    found = read_osediff(file, TINY)
    assert found.keys() == {"unet", "vae"}
    for part, tensors in found.items():
        expected = content[f"state_dict_{part}"]
        assert tensors.keys() == expected.keys()
        assert all(torch.equal(tensors[name], value) for name, value in expected.items())


@pytest.mark.parametrize("entry", PUBLISHED)
def test_a_file_without_one_of_the_entries_is_refused(file, content, entry):
    del content[entry]
    torch.save(content, file)
    with pytest.raises(CheckpointError, match=f"osediff.pkl has no {entry}; expected OSEDiff's"):
        read_osediff(file, TINY)


@pytest.mark.parametrize("content", [{"a": torch.zeros(1)}, [], torch.zeros(1), "text"])
def test_another_file_is_refused(file, content):
    torch.save(content, file)
    with pytest.raises(CheckpointError, match="osediff.pkl has no state_dict_unet, rank_unet, .*expected OSEDiff's"):
        read_osediff(file, TINY)


@pytest.mark.parametrize("part", ["unet", "vae"])
@pytest.mark.parametrize("rank", [8, "4", None])
def test_a_rank_that_is_not_the_tensors_is_refused(file, content, part, rank):
    torch.save({**content, f"rank_{part}": rank}, file)
    with pytest.raises(CheckpointError, match=rf"osediff.pkl says rank_{part} {rank}, but .*lora_A.* is of rank 4"):
        read_osediff(file, TINY)


@pytest.mark.parametrize(
    ("part", "entry"),
    [
        ("unet", "unet_lora_encoder_modules"),
        ("unet", "unet_lora_decoder_modules"),
        ("unet", "unet_lora_others_modules"),
        ("vae", "vae_lora_encoder_modules"),
    ],
)
@pytest.mark.parametrize("letter", ["A", "B"])
def test_a_listed_module_without_its_lora_is_noticed(file, content, part, entry, letter):
    module = content[entry][-1]
    tensors = content[f"state_dict_{part}"]
    [name] = [name for name in tensors if name.startswith(f"{module}.lora_{letter}.")]
    del tensors[name]
    torch.save(content, file)
    with pytest.raises(CheckpointError, match=f"osediff.pkl is incomplete: {entry} asks for {name}"):
        read_osediff(file, TINY)


@pytest.mark.parametrize("value", [3, None, [torch.zeros(1)]])
def test_tensors_that_are_none_are_refused(file, content, value):
    content["state_dict_vae"]["quant_conv.lora_A.default_encoder.weight"] = value
    torch.save(content, file)
    with pytest.raises(CheckpointError, match="state_dict_vae of osediff.pkl holds more than named tensors"):
        read_osediff(file, TINY)


@pytest.mark.parametrize("value", ["conv_in", 3, None, [3]])
def test_a_list_of_modules_that_is_none_is_refused(file, content, value):
    torch.save({**content, "unet_lora_others_modules": value}, file)
    with pytest.raises(CheckpointError, match="unet_lora_others_modules of osediff.pkl is no list of names"):
        read_osediff(file, TINY)


@pytest.mark.parametrize(("width", "kind"), [(768, "Stable Diffusion 1.5"), (2048, "Stable Diffusion XL")])
def test_a_lora_of_another_base_is_refused_by_its_width(file, width, kind):
    other = OSDiffVSR(replace(TINY, prompt_width=width)).requires_grad_(False)
    torch.save(osediff(other), file)
    with pytest.raises(CheckpointError, match=rf"osediff.pkl is for text of width {width}, as {kind} is"):
        read_osediff(file, TINY)


def test_code_in_the_file_is_refused_and_not_run(tmp_path, file, content):
    torch.save({**content, "rank_vae": Bomb(tmp_path / "fired")}, file)
    with pytest.raises(CheckpointError, match="osediff.pkl was refused.*may run code"):
        read_osediff(file, TINY)
    assert not (tmp_path / "fired").exists()
