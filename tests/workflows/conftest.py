import json
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest
from comfyui.fixtures import comfy_cli, comfyui  # noqa: F401
from comfyui.server import running_server
from comfyui.tiny_model import write_tiny_models
from media import make_video

WORKFLOWS = Path(__file__).parents[2] / "workflows"
TINY_MODELS = {
    "adcvsr": "tiny.safetensors",
    "os_diffvsr": "tiny_fusing.safetensors",
    "duo_vsr": "tiny_video.safetensors",
}
"""The tiny model that stands in for the shipped one in each graph."""
FRAMES, HEIGHT, WIDTH = 8, 50, 66


@pytest.fixture(scope="session")
def server(comfyui, tmp_path_factory):  # noqa: F811
    """A ComfyUI server with the pack and tiny models in models/vsr."""
    with running_server(comfyui, tmp_path_factory.mktemp("comfyui")) as running:
        write_tiny_models(running.base / "models" / "vsr")
        yield running


@pytest.fixture(scope="session")
def clip(tmp_path_factory) -> Path:
    """The first frames of the bundled clip, made small, at its frame rate and with sound."""
    with av.open(str(WORKFLOWS / "assets" / "night_city_240p.mp4")) as source:
        rate = source.streams.video[0].average_rate
        frames = [
            frame.reformat(WIDTH, HEIGHT, "rgb24").to_ndarray() for frame in islice(source.decode(video=0), FRAMES)
        ]
    return make_video(tmp_path_factory.mktemp("clip") / "clip.mp4", clip=np.stack(frames), rate=rate)


@pytest.fixture(params=TINY_MODELS)
def name(request) -> str:
    """The name of a shipped graph."""
    return request.param


@pytest.fixture
def graph(name) -> dict:
    """The shipped graph for the server's /prompt."""
    return json.loads((WORKFLOWS / "api" / f"{name}.json").read_text())


@pytest.fixture
def tiny_graph(graph, name, server, clip) -> dict:
    """The shipped graph with the uploaded clip and a model that takes no time."""
    graph["1"]["inputs"]["file"] = server.upload(clip)
    graph["3"]["inputs"]["model_name"] = TINY_MODELS[name]
    return graph
