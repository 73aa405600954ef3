"""A model file is written whole or not at all, and never over another."""

import pytest
import torch
from safetensors.torch import load_file

from vsr_core.checkpoints.header import read_header
from vsr_core.checkpoints.metadata import Metadata, from_text
from vsr_core.checkpoints.write import write_model
from vsr_core.errors import CheckpointError

METADATA = Metadata(architecture="adc_vsr", config="{}", source="here", licence="CC0")
TENSORS = {"a": torch.rand(2, 3), "b": torch.rand(4, 4).T}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_tensors_and_metadata_are_in_the_file_in_the_asked_dtype(tmp_path, dtype):
    path = write_model(tmp_path / "model.safetensors", TENSORS, METADATA, dtype=dtype)
    found = load_file(path)
    assert all(torch.equal(found[name], value.to(dtype)) for name, value in TENSORS.items())
    assert from_text(read_header(path).metadata) == METADATA
    assert [file.name for file in tmp_path.iterdir()] == ["model.safetensors"]


def test_others_may_read_the_file_as_far_as_they_may_read_any_new_file(tmp_path):
    ordinary = tmp_path / "ordinary"
    ordinary.touch()
    path = write_model(tmp_path / "model.safetensors", TENSORS, METADATA)
    assert path.stat().st_mode == ordinary.stat().st_mode


def test_a_file_that_is_there_already_is_left_alone(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"mine")
    with pytest.raises(CheckpointError, match="exists already"):
        write_model(path, TENSORS, METADATA)
    assert path.read_bytes() == b"mine"


def test_a_file_is_replaced_where_that_is_asked_for(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"mine")
    write_model(path, TENSORS, METADATA, overwrite=True)
    assert load_file(path).keys() == TENSORS.keys()


def test_a_failure_leaves_nothing_behind(tmp_path):
    shared = torch.rand(8)
    with pytest.raises(CheckpointError, match="Could not write"):
        write_model(tmp_path / "model.safetensors", {"a": torch.empty(2, device="meta"), "b": shared}, METADATA)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_the_file_that_was_to_be_replaced(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"mine")
    with pytest.raises(CheckpointError, match="Could not write"):
        write_model(path, {"a": torch.empty(2, device="meta")}, METADATA, overwrite=True)
    assert [(file, file.read_bytes()) for file in tmp_path.iterdir()] == [(path, b"mine")]


@pytest.mark.parametrize("place", ["missing/model.safetensors", "file/model.safetensors"])
def test_a_place_that_cannot_be_written_is_named(tmp_path, place):
    (tmp_path / "file").write_bytes(b"mine")
    with pytest.raises(CheckpointError, match="Could not write .*model.safetensors"):
        write_model(tmp_path / place, TENSORS, METADATA)
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="ends in .safetensors, got model.ckpt"):
        write_model(tmp_path / "model.ckpt", TENSORS, METADATA)
