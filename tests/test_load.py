"""A model file is loaded, or refused with what it is and what to do."""

import json
from pathlib import Path

import pytest
import torch
from restorers import tiny_network
from safetensors.torch import save_file

from vsr_core.architectures import ARCHITECTURES, architecture
from vsr_core.architectures.adc_vsr import TINY
from vsr_core.checkpoints.metadata import Metadata, config_to_json, to_text
from vsr_core.errors import CheckpointError
from vsr_core.load import cast, load_restorer

DATA = Path(__file__).parent / "data"
METADATA = Metadata(architecture="adc_vsr", config=config_to_json(TINY))


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "model.safetensors"


def refused(path: Path, tensors: dict[str, torch.Tensor], metadata: Metadata | None = METADATA) -> str:
    save_file(tensors, path, metadata=to_text(metadata) if metadata else None)
    with pytest.raises(CheckpointError, match="model") as caught:
        load_restorer(path)
    return str(caught.value)


def test_a_tensor_that_is_missing_is_named(path):
    tensors = tiny_network().state_dict()
    del tensors["decoder.conv_out.bias"]
    assert "1 missing (decoder.conv_out.bias)" in refused(path, tensors)


def test_a_tensor_too_many_is_named(path):
    tensors = {**tiny_network().state_dict(), "extra": torch.zeros(1)}
    assert "1 unexpected (extra)" in refused(path, tensors)


def test_a_misshapen_tensor_is_named(path):
    tensors = {**tiny_network().state_dict(), "decoder.conv_out.bias": torch.zeros(4)}
    assert "decoder.conv_out.bias is (4,), expected (3,)" in refused(path, tensors)


def test_a_tensor_of_whole_numbers_is_named(path):
    tensors = {**tiny_network().state_dict(), "decoder.conv_out.bias": torch.zeros(3, dtype=torch.int32)}
    assert "decoder.conv_out.bias is torch.int32" in refused(path, tensors)


def test_a_config_of_another_network_is_refused_by_tensor_name(path):
    text = json.dumps({**json.loads(config_to_json(TINY)), "channels": [1 << 20, 1 << 20]})
    message = refused(path, tiny_network().state_dict(), Metadata(architecture="adc_vsr", config=text))
    assert "misshapen" in message


def test_a_file_of_a_later_architecture_is_refused_with_the_known_ones(path):
    message = refused(path, {"a": torch.zeros(1)}, Metadata(architecture="future_vsr", config="{}"))
    assert "'future_vsr'" in message
    assert all(name in message for name in ARCHITECTURES)


def test_a_file_that_is_none_of_ours_says_so(path):
    assert "of no architecture known here" in refused(path, {"weight": torch.zeros(1)}, None)


@pytest.mark.parametrize(
    ("keys", "prefix", "hint"),
    [
        ("adcsr_net_keys.json", "module.", "AdcSR network weights; convert them"),
        ("adcsr_halfdecoder_keys.json", "decoder.", "AdcSR half decoder; convert it"),
    ],
)
def test_published_weights_in_our_format_are_refused_with_a_way_to_convert_them(path, keys, prefix, hint):
    names = json.loads((DATA / keys).read_text())
    message = refused(path, {prefix + name: torch.zeros(1) for name in names}, None)
    assert hint in message
    assert "python -m vsr_core convert" in message


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_weights_are_cast_to_the_computing_dtype(path, dtype):
    save_file(tiny_network().state_dict(), path, metadata=to_text(METADATA))
    restorer = cast(load_restorer(path), dtype)
    assert {value.dtype for part in restorer.parts.values() for value in part.parameters()} == {dtype}


def test_a_name_that_is_no_architecture_is_a_key_error():
    with pytest.raises(KeyError, match="os"):
        architecture("os")
