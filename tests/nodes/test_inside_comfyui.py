"""Run the tests of `inside_comfyui/` with the Python of a real ComfyUI, where the nodes can be imported."""

import subprocess
from pathlib import Path

import pytest
from comfyui.server import prepare_folders, server_environment
from comfyui.tiny_model import write_tiny_models

INSIDE = Path(__file__).parent / "inside_comfyui"

pytestmark = pytest.mark.comfyui


SELECTIONS = [
    pytest.param(["test_import.py"], id="import"),
    pytest.param([".", "--ignore=test_import.py", "-m", "not slow"], id="rest"),
    pytest.param([".", "-m", "slow"], id="slow", marks=pytest.mark.slow),
]


@pytest.mark.parametrize("selection", SELECTIONS)
def test_passes_with_the_python_of_comfyui(comfyui, tmp_path, selection):
    prepare_folders(tmp_path)
    write_tiny_models(tmp_path / "models" / "vsr")
    environment = {**server_environment(), "COMFYUI_PATH": str(comfyui.path), "COMFYUI_BASE": str(tmp_path)}
    environment.pop("PYTEST_ADDOPTS", None)
    command = [comfyui.python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--confcutdir=.", *selection]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=INSIDE)
    assert result.returncode == 0, f"{result.stdout}\n{result.stderr}"
