import folder_paths
import pytest


@pytest.fixture
def model_files(part_of_pack):
    return part_of_pack("nodes.model_files")


def test_only_safetensors_files_of_models_vsr_are_offered(model_files, model_folder):
    (model_folder / "put_models_here.txt").touch()
    offered = [name for name in model_files.model_names() if "." in name]
    assert sorted(offered) == ["tiny.safetensors", "tiny_fusing.safetensors", "tiny_video.safetensors"]
    assert model_files.model_path("tiny.safetensors") == model_folder / "tiny.safetensors"


def test_built_in_models_are_offered_first_by_name(model_files, part_of_pack):
    built_in = part_of_pack("vsr_core.models").built_in()
    assert model_files.model_names()[: len(built_in)] == list(built_in)
    assert all(model_files.model_path(name).is_file() for name in built_in)


def test_folders_from_extra_model_paths_are_kept(model_files, model_folder, tmp_path, monkeypatch):
    (tmp_path / "elsewhere.safetensors").touch()
    monkeypatch.setitem(folder_paths.folder_names_and_paths, "vsr", ([str(tmp_path)], set()))
    model_files.register_model_folder()
    model_files.register_model_folder()
    assert folder_paths.get_folder_paths("vsr") == [str(tmp_path), str(model_folder)]
    assert "elsewhere.safetensors" in model_files.model_names()


def test_a_model_that_is_not_there_is_refused_with_the_public_files_it_can_be_made_of(part_of_pack, node_classes):
    error = part_of_pack("vsr_core.errors").CheckpointError
    with pytest.raises(error, match=r"gone.safetensors.*fetch NAME.*net_params_200.pkl.*Apache-2.0") as refused:
        part_of_pack("nodes.model_files").model_path("gone.safetensors")
    assert node_classes["VSRLoadModel"].validate_inputs("gone.safetensors") == str(refused.value)


def test_models_that_are_there_and_names_from_other_nodes_are_let_through(part_of_pack, node_classes):
    validate = node_classes["VSRLoadModel"].validate_inputs
    there = [*part_of_pack("vsr_core.models").built_in(), "tiny.safetensors"]
    assert [validate(name) for name in there] == [True] * len(there)
    assert validate() is True
