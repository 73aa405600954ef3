"""Models are found by name in the package and in the user's folders."""

import os
from pathlib import Path

import pytest

from vsr_core.errors import CheckpointError
from vsr_core.models import FOLDERS_VARIABLE, built_in, find, found, model_folders


@pytest.fixture
def folders(tmp_path, monkeypatch) -> list[Path]:
    """Two model folders; both have an `a`, the second a `b` in a folder of its own."""
    first, second = tmp_path / "first", tmp_path / "second"
    for file in (first / "a.safetensors", second / "a.safetensors", second / "sub" / "b.safetensors"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"")
    (first / "notes.txt").write_text("no model")
    monkeypatch.setenv(FOLDERS_VARIABLE, os.pathsep.join(map(str, [first, tmp_path / "absent", second])))
    return [first, second]


def test_the_folders_of_the_variable_that_exist_are_searched(folders):
    assert model_folders() == folders


def test_files_are_named_relative_to_their_folder_and_the_first_folder_wins(folders):
    assert found() == {
        "a.safetensors": folders[0] / "a.safetensors",
        "sub/b.safetensors": folders[1] / "sub" / "b.safetensors",
    }


def test_a_model_is_found_by_name_and_by_path(folders):
    assert find("sub/b.safetensors") == folders[1] / "sub" / "b.safetensors"
    assert find(str(folders[1] / "a.safetensors")) == folders[1] / "a.safetensors"


def test_a_built_in_model_is_found_by_its_bare_name():
    for name, path in built_in().items():
        assert find(name) == path
        assert path.stem == name


def test_a_model_that_is_nowhere_is_refused_with_what_there_is(folders):
    with pytest.raises(CheckpointError, match=r"No model called 'c'.*a.safetensors, sub/b.safetensors.*first"):
        find("c")


def test_without_folders_the_error_says_how_to_name_one(monkeypatch):
    monkeypatch.delenv(FOLDERS_VARIABLE, raising=False)
    with pytest.raises(CheckpointError, match=f"set {FOLDERS_VARIABLE}"):
        find("c")
