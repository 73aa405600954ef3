"""What the command line's tests share: a model file of milliseconds and a small video with sound."""

from pathlib import Path

import pytest
from comfyui.tiny_model import write_tiny_model
from media import make_video


@pytest.fixture(scope="session")
def model(tmp_path_factory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("model") / "tiny.safetensors")


@pytest.fixture(scope="session")
def video(tmp_path_factory) -> Path:
    return make_video(tmp_path_factory.mktemp("video") / "clip.mp4", frames=9, height=18, width=26, rate=25)
