"""Pickles are read as data; code in them is refused and never runs."""

import os
import pickle
from pathlib import Path

import pytest
import torch

from vsr_core.checkpoints.pickles import load_pickle, read_pickle
from vsr_core.errors import CheckpointError

TENSORS = {"a": torch.arange(6.0).view(2, 3), "b": torch.ones(4).half()}


class Bomb:
    """Creates a file when it is unpickled."""

    def __init__(self, file: Path):
        self.file = file

    def __reduce__(self):
        return os.mkdir, (str(self.file),)


def same(found: dict, expected: dict) -> bool:
    return found.keys() == expected.keys() and all(torch.equal(found[name], expected[name]) for name in expected)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("content", [TENSORS, {"state_dict": TENSORS, "epoch": 3}, {**TENSORS, "note": "text", 7: 1}])
def test_tensors_are_read_with_and_without_a_wrapper(tmp_path, zipped, content):
    torch.save(content, tmp_path / "weights.pkl", _use_new_zipfile_serialization=zipped)
    assert same(read_pickle(tmp_path / "weights.pkl"), TENSORS)


@pytest.mark.parametrize("content", [{"state": TENSORS, "rank": 4, "modules": ["a", "b"]}, [1, "two"], 3])
def test_plain_containers_are_read_as_they_are(tmp_path, content):
    torch.save(content, tmp_path / "weights.pkl")
    assert repr(load_pickle(tmp_path / "weights.pkl")) == repr(content)


@pytest.mark.parametrize("zipped", [True, False])
def test_code_in_a_torch_file_is_refused_and_not_run(tmp_path, zipped):
    path, fired = tmp_path / "weights.pkl", tmp_path / "fired"
    torch.save({**TENSORS, "bomb": Bomb(fired)}, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(CheckpointError, match="weights.pkl was refused.*may run code"):
        read_pickle(path)
    assert not fired.exists()


def test_code_in_a_plain_pickle_is_refused_and_not_run(tmp_path):
    path, fired = tmp_path / "weights.pkl", tmp_path / "fired"
    path.write_bytes(pickle.dumps(Bomb(fired), protocol=2))
    with pytest.raises(CheckpointError, match="weights.pkl"):
        read_pickle(path)
    assert not fired.exists()


def test_the_bomb_of_these_tests_is_live(tmp_path):
    fired = tmp_path / "fired"
    pickle.loads(pickle.dumps(Bomb(fired)))
    assert fired.exists()


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.95])
def test_a_truncated_file_is_refused_by_name(tmp_path, zipped, share):
    path = tmp_path / "weights.pkl"
    torch.save(TENSORS, path, _use_new_zipfile_serialization=zipped)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(CheckpointError, match="weights.pkl"):
        read_pickle(path)


@pytest.mark.parametrize("data", [b"no pickle at all", b"PK", b"\x80\x02}q\x00."])
def test_any_other_file_is_refused_by_name(tmp_path, data):
    (tmp_path / "weights.pkl").write_bytes(data)
    with pytest.raises(CheckpointError, match="weights.pkl"):
        read_pickle(tmp_path / "weights.pkl")


@pytest.mark.parametrize("content", [[], {}, {"state_dict": {}}, {"epoch": 3}, torch.zeros(3), {0: torch.zeros(1)}])
def test_a_file_without_named_tensors_is_refused(tmp_path, content):
    torch.save(content, tmp_path / "weights.pkl")
    with pytest.raises(CheckpointError, match="weights.pkl holds"):
        read_pickle(tmp_path / "weights.pkl")


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="No file at"):
        read_pickle(tmp_path / "weights.pkl")
    with pytest.raises(CheckpointError, match="No file at"):
        read_pickle(tmp_path)
