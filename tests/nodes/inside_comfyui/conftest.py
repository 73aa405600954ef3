"""Set ComfyUI up for the CPU and load the pack the way ComfyUI does. Runs with ComfyUI's own Python."""

import asyncio
import os
import sys
from importlib import import_module
from pathlib import Path

import pytest
import torch
from PIL import Image

BASE = Path(os.environ["COMFYUI_BASE"])
PACK = next((BASE / "custom_nodes").iterdir())

sys.path.insert(0, os.environ["COMFYUI_PATH"])

from comfy.cli_args import args  # noqa: E402

args.cpu = True
args.base_directory = str(BASE)

import utils.extra_config  # noqa: E402, F401 - first, as in main.py: ComfyUI's nodes hide it behind comfy/utils.py


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


@pytest.fixture(scope="session")
def run(node_classes):
    """Run a node with the inputs given and its widgets' defaults, and return its outputs."""

    def outputs(node_id, **inputs):
        node = node_classes[node_id]
        widgets = [given for given in node.define_schema().inputs if getattr(given, "default", None) is not None]
        return node.execute(**{given.id: given.default for given in widgets} | inputs).result

    return outputs


@pytest.fixture(scope="session")
def execute(run):
    """Run a node like `run` and return its first output."""
    return lambda node_id, **inputs: run(node_id, **inputs)[0]


@pytest.fixture
def model(execute):
    return execute("VSRLoadModel", model_name="tiny.safetensors", dtype="auto")


@pytest.fixture
def fusing_model(execute):
    """A model that fuses frames."""
    return execute("VSRLoadModel", model_name="tiny_fusing.safetensors", dtype="auto")


@pytest.fixture
def video_model(execute):
    """A model whose latent frames stand for four frames each, as Wan2.1's."""
    return execute("VSRLoadModel", model_name="tiny_video.safetensors", dtype="auto")


@pytest.fixture
def setting_error(part_of_pack):
    return part_of_pack("vsr_core.errors").SettingError


@pytest.fixture
def shown_picture():
    """Open the only picture that a node shows."""
    import folder_paths

    def opened(shown: dict) -> Image.Image:
        [picture] = shown["images"]
        return Image.open(Path(folder_paths.get_temp_directory()) / picture["filename"])

    return opened


@pytest.fixture
def bars(monkeypatch):
    """What progress bars show: value, total and whether there is a picture."""
    import comfy.utils

    seen = []

    def note(value, total, picture, node_id=None):
        seen.append((value, total, picture is not None))

    monkeypatch.setattr(comfy.utils, "PROGRESS_BAR_HOOK", note)
    return seen


@pytest.fixture(scope="session")
def moving():
    """Make frames (count, height, width, 3) of one smooth picture that moves 1.5 pixels right and 0.5 up per frame."""

    def make(count: int = 5, height: int = 40, width: int = 48, seed: int = 0) -> torch.Tensor:
        random = torch.Generator().manual_seed(seed)
        waves = torch.empty(3, 8, 3).uniform_(-1, 1, generator=random) * torch.tensor([0.5, 0.5, 3.0])
        axes = (torch.arange(size, dtype=torch.float32) for size in (count, height, width))
        time, y, x = torch.meshgrid(*axes, indexing="ij")
        x, y = x - 1.5 * time, y + 0.5 * time
        colors = [sum((a * x + b * y + c).sin() for a, b, c in color.tolist()) for color in waves]
        return (torch.stack(colors, -1) / 12 + 0.5).clamp(0, 1)

    return make
