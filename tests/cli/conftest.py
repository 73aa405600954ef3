"""What the command line's tests share: a model file of milliseconds and a small video with sound."""

from pathlib import Path

import pytest
from comfyui.tiny_model import write_tiny_models
from media import make_video


@pytest.fixture(scope="session")
def models(tmp_path_factory) -> Path:
    """A folder of small models with random weights."""
    folder = tmp_path_factory.mktemp("models")
    write_tiny_models(folder)
    return folder


@pytest.fixture(scope="session")
def model(models) -> Path:
    return models / "tiny.safetensors"


@pytest.fixture(scope="session")
def fusing_model(models) -> Path:
    return models / "tiny_fusing.safetensors"


@pytest.fixture(scope="session")
def video(tmp_path_factory) -> Path:
    return make_video(tmp_path_factory.mktemp("video") / "clip.mp4", frames=9, height=18, width=26, rate=25)
