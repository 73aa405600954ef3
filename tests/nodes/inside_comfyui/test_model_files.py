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


def test_a_model_that_has_gone_is_named(model_files):
    with pytest.raises(FileNotFoundError, match="gone.safetensors"):
        model_files.model_path("gone.safetensors")
