"""The weights of a folder are found, in one piece or in several, and complete."""

import json

import pytest
import torch
from safetensors.torch import save_file

from vsr_core.checkpoints.folder import INDEX, Weights
from vsr_core.errors import CheckpointError

TENSORS = {"a": torch.arange(6.0).view(2, 3), "b": torch.ones(4), "c": torch.zeros(1)}
PLACES = {"a": "part-1.safetensors", "b": "part-2.safetensors", "c": "part-1.safetensors"}


def write_parts(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for file in set(PLACES.values()):
        save_file({name: TENSORS[name] for name, place in PLACES.items() if place == file}, folder / file)
    (folder / INDEX).write_text(json.dumps({"weight_map": PLACES}))
    return folder


def assert_holds_all(weights: Weights):
    found = weights.tensors()
    assert found.keys() == TENSORS.keys()
    assert all(torch.equal(found[name], value) for name, value in TENSORS.items())
    assert weights.shapes() == {"a": (2, 3), "b": (4,), "c": (1,)}


def test_a_file_holds_its_own_tensors(tmp_path):
    save_file(TENSORS, tmp_path / "any_name.safetensors")
    assert_holds_all(Weights(tmp_path / "any_name.safetensors"))


@pytest.mark.parametrize("name", ["diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.bin", "own.pth"])
@pytest.mark.parametrize("inside", ["", "unet"])
def test_a_folder_is_searched_for_the_names_that_weights_have(tmp_path, name, inside):
    (tmp_path / inside).mkdir(exist_ok=True)
    (save_file if name.endswith(".safetensors") else torch.save)(TENSORS, tmp_path / inside / name)
    assert_holds_all(Weights(tmp_path, inside=("unet",), names=("own.pth",)))


@pytest.mark.parametrize("inside", ["", "unet"])
def test_several_files_are_joined_by_their_index(tmp_path, inside):
    write_parts(tmp_path / inside)
    assert_holds_all(Weights(tmp_path, inside=("unet",)))


def test_a_part_that_is_missing_is_named(tmp_path):
    (write_parts(tmp_path) / "part-2.safetensors").unlink()
    with pytest.raises(CheckpointError, match="part-2.safetensors"):
        Weights(tmp_path).tensors()


def test_a_part_that_lacks_what_the_index_promises_is_refused(tmp_path):
    save_file({"other": torch.zeros(1)}, write_parts(tmp_path) / "part-2.safetensors")
    with pytest.raises(CheckpointError, match=f"is incomplete: 1 of the tensors that {INDEX} lists .*\\(b\\)"):
        Weights(tmp_path).tensors()


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"weight_map": []}', '{"weight_map": {}}', '{"weight_map": {"a": "../part-1.safetensors"}}',
     '{"weight_map": {"a": 1}}', '{"weight_map": {"a": ""}}'],
)  # fmt: skip
def test_an_index_that_is_none_is_refused(tmp_path, content):
    write_parts(tmp_path)
    (tmp_path / INDEX).write_text(content)
    with pytest.raises(CheckpointError, match=f"{INDEX} is no index of weights"):
        Weights(tmp_path)


def test_a_folder_without_weights_says_where_they_were_looked_for(tmp_path):
    (tmp_path / "unet").mkdir()
    with pytest.raises(CheckpointError, match=r"No weights in .*unet and .*diffusion_pytorch_model.*Name the file"):
        Weights(tmp_path, inside=("unet",))


def test_a_file_that_is_not_there_is_refused_when_it_is_read(tmp_path):
    with pytest.raises(CheckpointError, match="missing.safetensors"):
        Weights(tmp_path / "missing.safetensors").shapes()
