"""The pack in a real ComfyUI server, driven through its HTTP interface."""

import av
import pytest
from comfyui.client import interrupt_at, run_graph
from PIL import Image

pytestmark = pytest.mark.comfyui

NODE_IDS = (
    "VSRLoadModel",
    "VSRTemporalTiling",
    "VSROpticalFlowWarp",
    "VSRMultiFrameFusion",
    "VSROneStepUpscale",
    "VSRVideoVAEDecode",
    "VSRCompare",
)
fuses = pytest.mark.parametrize("name", ["os_diffvsr"], indirect=True)


def saved_video(run):
    """Return the path of the video that the run saved."""
    shown = run.history["outputs"]["8"]["images"][0]
    return run.server.base / "output" / shown["subfolder"] / shown["filename"]


def facts(path) -> dict:
    with av.open(str(path)) as video:
        stream = video.streams.video[0]
        return {
            "size": (stream.width, stream.height),
            "rate": stream.average_rate,
            "audio": len(video.streams.audio),
            "frames": sum(1 for _ in video.decode(stream)),
        }


def enlarged(given: dict) -> dict:
    return {**given, "size": tuple(4 * side for side in given["size"])}


def error_message(run) -> str:
    assert run.ending == "execution_error"
    return run.messages[-1]["data"]["exception_message"]


@pytest.mark.parametrize("node_id", NODE_IDS)
def test_the_server_offers_the_node(server, node_id):
    assert server.get(f"/object_info/{node_id}")[node_id]["python_module"].startswith("custom_nodes.")


@pytest.mark.parametrize("node_id", NODE_IDS)
def test_the_help_page_is_served_where_the_editor_looks_for_it(server, node_id):
    assert server.get_text(f"/extensions/comfyui-one-step-vsr/docs/{node_id}.md").startswith("# ")


def test_the_built_in_models_can_be_chosen(server):
    schema = server.get("/object_info/VSRLoadModel")["VSRLoadModel"]
    kind, details = schema["input"]["required"]["model_name"]
    offered = details["options"] if kind == "COMBO" else kind
    assert {"adcvsr-small", "duovsr-small", "osdiffvsr-small", "tiny.safetensors"} <= set(offered)


def test_the_shipped_graph_upscales_a_real_clip_and_keeps_frames_rate_and_sound(server, graph, clip):
    graph["1"]["inputs"]["file"] = server.upload(clip)
    run = run_graph(server, graph)
    assert run.ending == "execution_success", run.messages[-1]
    assert facts(clip)["audio"] == 1
    assert facts(saved_video(run)) == enlarged(facts(clip))


def test_progress_is_reported_in_frames_and_shows_pictures(server, tiny_graph):
    tiny_graph["5"]["inputs"]["seed"] = 1  # not what another test left in ComfyUI's cache
    run = run_graph(server, tiny_graph)
    reports = [message["data"] for message in run.messages if message["type"] == "progress_state"]
    last = {name: state for report in reports for name, state in report["nodes"].items()}
    assert (last["5"]["value"], last["5"]["max"]) == (8, 8)
    assert (last["6"]["value"], last["6"]["max"]) == (8, 8)
    assert any(b"\xff\xd8\xff" in preview for preview in run.previews)


@pytest.mark.parametrize(
    ("name", "node_id"), [("adcvsr", "5"), ("duo_vsr", "5"), ("os_diffvsr", "11")], indirect=["name"]
)
def test_cancelling_stops_the_run_and_the_next_one_works(server, tiny_graph, node_id):
    small_pieces = {**tiny_graph["4"]["inputs"], "window": 2, "overlap": 1, "tile": 16, "tile_overlap": 8}
    run = interrupt_at(server, {**tiny_graph, "4": {**tiny_graph["4"], "inputs": small_pieces}}, node_id)
    assert run.ending == "execution_interrupted"
    assert run.messages[-1]["data"]["node_id"] == node_id
    assert run_graph(server, tiny_graph).ending == "execution_success"


def test_a_file_that_is_no_model_is_refused_with_its_name(server, tiny_graph):
    (server.base / "models" / "vsr" / "broken.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0not a header")
    tiny_graph["3"]["inputs"]["model_name"] = "broken.safetensors"
    run = run_graph(server, tiny_graph)
    assert "broken.safetensors" in error_message(run)
    kind, data = run.history["status"]["messages"][-1]
    assert kind == "execution_error"
    assert "broken.safetensors" in data["exception_message"]


def test_tiling_that_contradicts_itself_is_refused_in_words(server, tiny_graph):
    tiny_graph["4"]["inputs"].update(window=4, overlap=4)
    assert "overlap" in error_message(run_graph(server, tiny_graph))


@fuses
def test_the_confidence_of_every_frame_is_shown(server, tiny_graph):
    tiny_graph["10"]["inputs"]["alpha"] = 3.0  # not what another test left in ComfyUI's cache
    shown = run_graph(server, tiny_graph).history["outputs"]["13"]["images"]
    assert len(shown) == 8
    for picture in shown:
        with Image.open(server.base / "temp" / picture["filename"]) as opened:
            assert opened.size == (66, 50)
            assert opened.getextrema()[0][1] > 200  # somewhere the frames align


@fuses
def test_aligning_reports_its_progress_in_frames(server, tiny_graph):
    tiny_graph["10"]["inputs"]["method"] = "dis-fast"
    run = run_graph(server, tiny_graph)
    reports = [message["data"] for message in run.messages if message["type"] == "progress_state"]
    last = {name: state for report in reports for name, state in report["nodes"].items()}
    assert (last["10"]["value"], last["10"]["max"]) == (8, 8)
    assert (last["11"]["value"], last["11"]["max"]) == (8, 8)


@fuses
def test_fusing_without_a_model_that_fuses_is_refused_in_words(server, tiny_graph):
    tiny_graph["3"]["inputs"]["model_name"] = "tiny.safetensors"
    assert "One-Step Upscale" in error_message(run_graph(server, tiny_graph))
