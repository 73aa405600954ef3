"""Tensors are read from every kind of file that weights are published in."""

import pytest
import torch
from safetensors.torch import save_file

from vsr_core.checkpoints.tensors import read_tensors
from vsr_core.errors import CheckpointError

TENSORS = {"a": torch.arange(6.0).view(2, 3), "b": torch.ones(4).half()}


@pytest.mark.parametrize("name", ["weights.safetensors", "weights.bin", "weights.ckpt", "weights.pt"])
def test_named_tensors_are_read_from_any_kind_of_file(tmp_path, name):
    (save_file if name.endswith(".safetensors") else torch.save)(TENSORS, tmp_path / name)
    found = read_tensors(tmp_path / name)
    assert found.keys() == TENSORS.keys()
    assert all(torch.equal(found[key], value) and found[key].dtype == value.dtype for key, value in TENSORS.items())


@pytest.mark.parametrize("name", ["weights.safetensors", "weights.bin"])
def test_a_damaged_file_is_refused_by_name(tmp_path, name):
    (tmp_path / name).write_bytes(b"damaged")
    with pytest.raises(CheckpointError, match=name):
        read_tensors(tmp_path / name)
