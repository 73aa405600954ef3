"""Set ComfyUI up for the CPU and load the pack the way ComfyUI does. Runs with ComfyUI's own Python."""

import asyncio
import os
import sys
from importlib import import_module
from pathlib import Path

import pytest

BASE = Path(os.environ["COMFYUI_BASE"])
PACK = next((BASE / "custom_nodes").iterdir())

sys.path.insert(0, os.environ["COMFYUI_PATH"])

from comfy.cli_args import args  # noqa: E402

args.cpu = True
args.base_directory = str(BASE)


@pytest.fixture(scope="session")
def pack_folder() -> Path:
    return PACK


@pytest.fixture(scope="session")
def model_folder() -> Path:
    return BASE / "models" / "vsr"


@pytest.fixture(scope="session")
def node_classes():
    """The pack's node classes by id."""
    import nodes

    before = set(nodes.NODE_CLASS_MAPPINGS)
    assert asyncio.run(nodes.load_custom_node(str(PACK))), "ComfyUI could not load the pack"
    return {name: node for name, node in nodes.NODE_CLASS_MAPPINGS.items() if name not in before}


@pytest.fixture(scope="session")
def part_of_pack(node_classes):
    """Import a module of the pack by its name inside the pack, as part of what ComfyUI loaded."""
    return lambda name: import_module(f"{str(PACK).replace('.', '_x_')}.{name}")


@pytest.fixture
def execute(node_classes):
    """Run a node and return its only output."""
    return lambda node_id, **inputs: node_classes[node_id].execute(**inputs).result[0]


@pytest.fixture
def model(execute):
    return execute("VSRLoadModel", model_name="tiny.safetensors", dtype="auto")
