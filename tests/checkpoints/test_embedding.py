"""An embedding is read from every kind of file with one tensor."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from vsr_core.checkpoints.embedding import read_embedding
from vsr_core.errors import CheckpointError

VALUE = torch.arange(6.0).view(2, 3)
WRITERS = {
    ".safetensors": lambda path: save_file({"prompt": VALUE}, path),
    ".pt": lambda path: torch.save({"prompt": VALUE}, path),
    ".bin": lambda path: torch.save(VALUE, path),
    ".npy": lambda path: np.save(path, VALUE.numpy()),
    ".npz": lambda path: np.savez(path, prompt=VALUE.numpy()),
}


@pytest.mark.parametrize("kind", WRITERS)
def test_an_embedding_is_read_from_every_kind_of_file(tmp_path, kind):
    WRITERS[kind](tmp_path / f"prompt{kind}")
    assert torch.equal(read_embedding(tmp_path / f"prompt{kind}"), VALUE)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"a": VALUE, "b": VALUE}, r"holds 2 tensors \(a, b\); expected"),
        ([VALUE], "holds a list; expected"),
        ({"text": "a photo"}, "holds a dict; expected"),
        ({}, "holds 0 tensors"),
    ],
)
def test_a_file_with_anything_but_one_tensor_is_refused(tmp_path, content, message):
    torch.save(content, tmp_path / "prompt.pt")
    with pytest.raises(CheckpointError, match=message):
        read_embedding(tmp_path / "prompt.pt")


@pytest.mark.parametrize("kind", WRITERS)
def test_a_damaged_or_missing_file_is_refused_by_name(tmp_path, kind):
    path = tmp_path / f"prompt{kind}"
    with pytest.raises(CheckpointError, match=f"No prompt embedding at .*prompt{kind}"):
        read_embedding(path)
    path.write_bytes(b"damaged")
    with pytest.raises(CheckpointError, match=f"prompt{kind}"):
        read_embedding(path)
