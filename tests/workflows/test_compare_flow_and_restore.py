"""The shipped graphs that compare, inspect the flow and restore without enlarging, run in a real ComfyUI server."""

import json
from math import isfinite
from pathlib import Path

import av
import numpy as np
import pytest
from comfyui.client import Run, run_graph
from PIL import Image

GRAPHS = Path(__file__).parents[2] / "workflows" / "api"

pytestmark = pytest.mark.comfyui


@pytest.fixture
def shipped(server, clip):
    """Read a shipped graph and give it the uploaded clip and a model that takes no time."""

    def read(name: str) -> dict:
        graph = json.loads((GRAPHS / f"{name}.json").read_text(encoding="utf-8"))
        graph["1"]["inputs"]["file"] = server.upload(clip)
        if "3" in graph:
            graph["3"]["inputs"]["model_name"] = "tiny.safetensors"
        return graph

    return read


def frames(path: Path) -> np.ndarray:
    with av.open(str(path)) as video:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)])


def output(run: Run, node: str) -> Path:
    """Return the file that a node of the run wrote."""
    assert run.ending == "execution_success", run.messages[-1]
    [shown] = run.history["outputs"][node]["images"]
    return run.server.base / shown["type"] / shown["subfolder"] / shown["filename"]


def test_comparing_gives_a_video_a_plot_and_a_table_that_names_what_is_missing(server, shipped):
    run = run_graph(server, shipped("compare"))
    assert frames(output(run, "8")).shape == (8, 200, 264, 3)
    with Image.open(output(run, "11")) as plot:
        assert plot.size == (960, 600)
    [text] = run.history["outputs"]["12"]["text"]
    header, _, before, after, change = [line.split("|")[1:-1] for line in text.splitlines()[:5]]
    assert [cell.strip() for cell in header] == [
        "",
        "NIQE",
        "E*_warp [1e-3]",
    ]
    niqe, ewarp = ([row[column].strip() for row in (before, after, change)] for column in (1, 2))
    assert "NIQE is missing: " in text if niqe[0] == "missing" else all(isfinite(float(value)) for value in niqe)
    assert all(isfinite(float(value)) for value in ewarp)
    assert float(ewarp[0]) > 0


def test_a_reference_is_measured_against_and_the_strip_is_one_picture(server, shipped):
    graph = shipped("compare")
    graph["10"]["inputs"].update(view="strip", reference=["6", 0])
    graph["11"]["inputs"]["images"] = ["10", 0]
    del graph["7"], graph["8"]
    run = run_graph(server, graph)
    with Image.open(output(run, "11")) as strip:
        assert strip.size == (4 * 264 + 3 * 8, 2 * 200 + 8)
    [text] = run.history["outputs"]["12"]["text"]
    assert "PSNR [dB]" in text
    after = text.splitlines()[3]
    assert "inf" in after or "PSNR [dB] is missing: " in text  # without torchmetrics


def test_comparing_reports_its_progress_in_frames(server, shipped):
    graph = shipped("compare")
    graph["10"]["inputs"]["titles"] = False  # not what another test left in ComfyUI's cache
    run = run_graph(server, graph)
    reports = [message["data"] for message in run.messages if message["type"] == "progress_state"]
    last = {name: state for report in reports for name, state in report["nodes"].items()}
    assert (last["10"]["value"], last["10"]["max"]) == (8, 8)


def test_different_frame_counts_are_refused_with_what_came(server, shipped):
    graph = shipped("compare")
    graph["20"] = {"class_type": "ImageFromBatch", "inputs": {"image": ["2", 0], "batch_index": 0, "length": 3}}
    graph["10"]["inputs"]["before"] = ["20", 0]
    run = run_graph(server, graph)
    assert run.ending == "execution_error"
    assert "before has 3, after has 8" in run.messages[-1]["data"]["exception_message"]


def test_the_flow_is_shown_beside_the_frames_it_belongs_to(server, shipped, clip):
    shown = frames(output(run_graph(server, shipped("flow_inspection")), "8"))
    assert shown.shape == (8, 2 * 50 + 4, 2 * 66 + 4, 3)
    frame, confidence = shown[:, :50, :66], shown[:, :50, 70:]
    before, after = shown[:, 54:, :66], shown[:, 54:, 70:]
    assert np.abs(frame.astype(int) - frames(clip)).mean() < 8
    assert np.abs(confidence.max(-1).astype(int) - confidence.min(-1)).mean() < 8  # grey
    assert confidence.max() > 200
    for warped in (before, after):
        assert np.abs(warped.astype(int) - frame).mean() < 12


def test_restoring_gives_the_size_of_the_input_and_a_chosen_one(server, shipped, clip):
    graph = shipped("restore_only")
    graph["11"]["inputs"]["width"] = 132
    run = run_graph(server, graph)
    assert frames(output(run, "8")).shape == frames(clip).shape
    assert frames(output(run, "13")).shape == (8, 100, 132, 3)
