"""The Upscale Video graph in a real ComfyUI server: it saves, can be cancelled, and goes on."""

import json
from pathlib import Path

import pytest
from comfyui.client import Run, run_graph
from media import audio_packets, make_video
from streaming.jobs import frame_digests
from workflows.test_queue_folder import script  # noqa: F401

from vsr_core.video import probe

WORKFLOWS = Path(__file__).parents[2] / "workflows"

pytestmark = pytest.mark.comfyui


@pytest.fixture(scope="module")
def video(tmp_path_factory) -> Path:
    return make_video(tmp_path_factory.mktemp("video") / "long.mp4", frames=60, height=18, width=26, rate=25)


@pytest.fixture
def graph() -> dict:
    """The shipped graph with a model that takes no time."""
    graph = json.loads((WORKFLOWS / "api" / "upscale_video.json").read_text())
    graph["3"]["inputs"]["model_name"] = "tiny.safetensors"
    return graph


@pytest.fixture
def long_graph(graph, server, video) -> dict:
    """The graph on a video of many segments."""
    graph["1"]["inputs"]["file"] = server.upload(video)
    graph["5"]["inputs"].update(segment_seconds=0.2)
    return graph


def saved_video(run) -> Path:
    shown = run.history["outputs"]["5"]["images"][0]
    return run.server.base / "output" / shown["subfolder"] / shown["filename"]


def test_the_server_offers_the_node_and_its_help(server):
    schema = server.get("/object_info/VSRUpscaleVideo")["VSRUpscaleVideo"]
    assert schema["output_node"]
    assert schema["output"] == ["VIDEO"]
    assert server.get_text("/extensions/comfyui-one-step-vsr/docs/VSRUpscaleVideo.md").startswith("# Upscale Video")


def test_the_shipped_graph_upscales_a_real_clip_and_keeps_its_sound(server, graph, clip):
    graph["1"]["inputs"]["file"] = server.upload(clip)
    graph["3"]["inputs"]["model_name"] = "adcvsr-small"
    run = run_graph(server, graph)
    assert run.ending == "execution_success", run.messages[-1]
    before, after = probe(clip), probe(saved_video(run))
    assert (after.frames, after.frame_rate) == (before.frames, before.frame_rate)
    assert (after.width, after.height) == (4 * before.width, 4 * before.height)
    assert [data for _, data in audio_packets(saved_video(run))] == [data for _, data in audio_packets(clip)]
    assert any(b"\xff\xd8\xff" in preview for preview in run.previews)


def test_a_cancelled_run_goes_on_when_it_is_queued_again(server, long_graph):
    whole = run_graph(server, long_graph)
    long_graph["5"]["inputs"]["filename_prefix"] = "video/again"
    unfinished = server.base / "output" / "vsr_unfinished"
    run = Run(server)
    for message in run.follow(long_graph):
        if message["type"] == "progress" and list(unfinished.glob("*/segment_*.json")):
            server.post("/interrupt", {})
    assert run.ending == "execution_interrupted"
    assert list(unfinished.glob("*/segment_*.json"))
    again = run_graph(server, long_graph)
    assert again.ending == "execution_success"
    assert frame_digests(saved_video(again)) == frame_digests(saved_video(whole))
    assert audio_packets(saved_video(again)) == audio_packets(saved_video(whole))
    first = next(message["data"]["value"] for message in again.messages if message["type"] == "progress")
    assert first > 0  # it did not begin anew
    assert not unfinished.exists()


def test_the_estimate_is_shown_and_nothing_saved(server, long_graph):
    long_graph["5"]["inputs"].update(estimate_only=True, filename_prefix="video/never")
    long_graph["6"] = {
        "class_type": "SaveVideo",
        "inputs": {
            "video": ["5", 0],
            "filename_prefix": "video/never",
            "format": "mp4",
            "format.codec": "h264",
            "codec": "h264",
        },
    }
    run = run_graph(server, long_graph)
    assert run.ending == "execution_success", run.messages[-1]
    assert "60 frames of 104x72, h264" in run.history["outputs"]["5"]["text"][0]
    assert not list((server.base / "output").rglob("never*"))


def test_a_folder_is_queued_on_a_real_server(server, graph, video, tmp_path, script):  # noqa: F811
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "two words.mp4").write_bytes(video.read_bytes())
    (folder / "broken.mp4").write_bytes(b"no video")
    (tmp_path / "graph.json").write_text(json.dumps(graph))
    words = [folder, tmp_path / "out", "--server", server.address, "--workflow", tmp_path / "graph.json"]
    script.PATIENCE_SECONDS = 60
    assert script.main([str(word) for word in words]) == 1
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["two words.mp4"]
    assert (probe(tmp_path / "out" / "two words.mp4").frames, probe(tmp_path / "out" / "two words.mp4").width) == (
        60,
        104,
    )
