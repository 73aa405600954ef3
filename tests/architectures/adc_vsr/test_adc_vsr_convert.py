"""AdcSR's published files become one model file of ours."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from architectures.adc_vsr.published import published_name, published_tensors, write_published
from restorers import random_clip, tiny_network

from vsr_core.architectures.adc_vsr import PAPER, TINY, convert
from vsr_core.architectures.adc_vsr.convert import image_config, translate
from vsr_core.architectures.adc_vsr.network import AdcVSR
from vsr_core.architectures.adc_vsr.restorer import AdcVSRRestorer
from vsr_core.checkpoints.header import read_header
from vsr_core.errors import CheckpointError
from vsr_core.load import identify, load_restorer

DATA = Path(__file__).parents[2] / "data"
IMAGE_TINY = replace(TINY, temporal=False)


@pytest.fixture
def network() -> AdcVSR:
    return tiny_network(IMAGE_TINY)


def test_every_tensor_of_the_papers_network_has_its_published_name_and_shape():
    with torch.device("meta"):
        network = AdcVSR(image_config(PAPER))
    body, tail = (
        json.loads((DATA / name).read_text()) for name in ("adcsr_net_keys.json", "adcsr_halfdecoder_keys.json")
    )
    used = {name: shape for name, shape in body.items() if not name.startswith("body.1.body.")}
    used |= {name: shape for name, shape in tail.items() if not name.startswith(("conv_in.", "mid_block."))}
    ours = {published_name(name, network): list(value.shape) for name, value in network.state_dict().items()}
    assert ours == used


def test_published_names_become_ours_again(network):
    tensors = translate(*published_tensors(network), IMAGE_TINY)
    expected = network.state_dict()
    assert tensors.keys() == expected.keys()
    assert all(torch.equal(tensors[name], value) for name, value in expected.items())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_a_converted_file_loads_and_gives_the_same_frames(tmp_path, network, dtype):
    path = convert(**write_published(tmp_path, network), out=tmp_path / "out.safetensors", dtype=dtype, config=TINY)
    header = read_header(path)
    assert {info.dtype for info in header.tensors.values()} == {"F32" if dtype == torch.float32 else "F16"}
    assert "AdcSR" in identify(header).source
    restorer = load_restorer(path)
    assert restorer.config == IMAGE_TINY
    reference = AdcVSRRestorer(network.to(dtype))
    clip = random_clip(2)
    found, expected = (part.step(part.encode(clip)) for part in (restorer, reference))
    assert torch.equal(found, expected)


def test_files_of_another_size_are_refused_by_tensor_name(tmp_path, network):
    files = write_published(tmp_path, network)
    with pytest.raises(CheckpointError, match=r"AdcSR weights.*missing \(.*misshapen"):
        convert(**files, out=tmp_path / "out.safetensors")
    assert not (tmp_path / "out.safetensors").exists()


def test_swapped_files_are_noticed(tmp_path, network):
    files = write_published(tmp_path, network)
    swapped = {"adcsr": files["decoder"], "decoder": files["adcsr"]}
    with pytest.raises(CheckpointError, match="no tensor of AdcSR's network"):
        convert(**swapped, out=tmp_path / "out.safetensors", config=TINY)


def test_a_file_whose_keys_are_not_names_is_refused(tmp_path, network):
    files = write_published(tmp_path, network)
    torch.save({0: torch.zeros(1)}, files["adcsr"])
    with pytest.raises(CheckpointError, match="net_params.pkl holds no"):
        convert(**files, out=tmp_path / "out.safetensors", config=TINY)


def test_a_model_that_is_there_already_is_left_alone(tmp_path, network):
    out = tmp_path / "out.safetensors"
    out.write_bytes(b"mine")
    with pytest.raises(CheckpointError, match="exists already"):
        convert(**write_published(tmp_path, network), out=out, config=TINY)
    assert out.read_bytes() == b"mine"
