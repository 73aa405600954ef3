"""The shipped workflows in the real editor: they open whole, mean what the API graphs say, and run."""

import json
import os
import time
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
WORKFLOWS = ROOT / "workflows"
SCREENSHOTS = Path(os.environ.get("VSR_SCREENSHOTS", ROOT / "out" / "editor"))
OTHER_PACKS = ("VHS_",)
"""How the nodes of packs begin that some workflows need and tests do not install."""
INFO = "[data-testid=info-button]"
RUN_SECONDS = 900
OF_OTHER_VERSIONS = {"codec", "format.codec"}
"""What API graphs carry so that other versions' Save Video understands them."""
OF_WIDGETS = {"upload", "codec.encoding", "bit_depth", "video-preview"}
"""What the editor says of widgets, and API graphs leave to the default."""


def api_graph(name: str) -> dict:
    return json.loads((WORKFLOWS / "api" / name).read_text(encoding="utf-8"))


def needs_another_pack(name: str) -> bool:
    return any(node["class_type"].startswith(OTHER_PACKS) for node in api_graph(name).values())


NAMES = sorted(path.name for path in WORKFLOWS.glob("*.json") if not needs_another_pack(path.name))

pytestmark = [pytest.mark.comfyui, pytest.mark.slow]
every_workflow = pytest.mark.parametrize("name", NAMES)


def meaning(graph: dict, also_in: dict) -> dict:
    """Return kind and inputs of every node, less what only one of both graphs says."""
    return {
        number: {
            "class_type": node["class_type"],
            **{key: value for key, value in node["inputs"].items() if key in also_in[number]["inputs"]},
        }
        for number, node in graph.items()
    }


def surplus(graph: dict, other: dict) -> set[str]:
    """Return the names of inputs that `graph` has and `other` has not."""
    return {key for number, node in graph.items() for key in node["inputs"] if key not in other[number]["inputs"]}


@every_workflow
def test_it_opens_without_a_missing_node_or_a_loose_link(opened, name):
    script = (
        "window.app.graph.nodes.filter((node) => !(node.type in LiteGraph.registered_node_types) || node.has_errors)"
    )
    assert opened.evaluate(f"{script}.map((node) => node.type)") == []
    written = json.loads((WORKFLOWS / name).read_text(encoding="utf-8"))
    assert opened.evaluate("window.app.graph.nodes.length") == len(written["nodes"])
    shown = opened.evaluate("window.app.graph.serialize().links.map((link) => [link[1], link[2], link[3], link[4]])")
    assert sorted(shown) == sorted(link[1:5] for link in written["links"])


@every_workflow
def test_what_the_editor_queues_is_the_api_graph(opened, name):
    queued, shipped = opened.evaluate("window.app.graphToPrompt().then((prompt) => prompt.output)"), api_graph(name)
    assert queued.keys() == shipped.keys()
    assert meaning(queued, shipped) == meaning(shipped, queued)
    assert surplus(shipped, queued) <= OF_OTHER_VERSIONS
    assert surplus(queued, shipped) <= OF_WIDGETS


@every_workflow
def test_it_is_seen(opened, name):
    opened.evaluate("window.app.extensionManager.command.execute('Comfy.Canvas.FitView').then(() => true)")
    time.sleep(2)  # the view glides there
    assert opened.evaluate("document.querySelectorAll('[role=dialog]').length") == 0
    with Image.open(opened.screenshot(SCREENSHOTS / f"{Path(name).stem}.png")) as picture:
        assert len(picture.convert("RGB").getcolors(2**24)) > 500


@pytest.mark.parametrize("name", ["adcvsr.json"])
def test_it_runs_from_the_editor(opened, server, name):
    opened.evaluate("window.app.queuePrompt(0).then(() => true)")
    deadline = time.monotonic() + RUN_SECONDS
    while not (history := history_of(server)):
        assert time.monotonic() < deadline, server.log[-2000:]
        time.sleep(1)
    [kept] = history.values()
    assert kept["status"]["status_str"] == "success", kept["status"]
    opened.wait_for("Object.keys(window.app.nodeOutputs).length")  # the saved video is shown
    opened.screenshot(SCREENSHOTS / "after_a_run.png")


@pytest.mark.parametrize("name", ["adcvsr.json"])
def test_help_is_shown_with_its_picture(opened, name):
    node = "window.app.graph.nodes.find((node) => node.type == 'VSRLoadModel')"
    opened.evaluate(f"Boolean(window.app.canvas.selectNode({node}), true)")
    opened.wait_for(f"document.querySelector({INFO!r})")
    opened.evaluate(f"Boolean(document.querySelector({INFO!r}).click(), true)")
    picture = "image.src.endsWith('/docs/pictures/VSRLoadModel.jpg') && image.naturalWidth"
    opened.wait_for(f"[...document.images].some((image) => {picture})")
    opened.screenshot(SCREENSHOTS / "help.png")


def history_of(server) -> dict:
    try:
        return server.get("/history")
    except TimeoutError:  # it computes
        return {}
