"""The graphs for the editor say the same as those for the server's /prompt."""

import json
from pathlib import Path

import pytest
from PIL import Image

WORKFLOWS = Path(__file__).parents[2] / "workflows"
DATA = Path(__file__).parents[1] / "data"
NAMES = sorted(path.name for path in WORKFLOWS.glob("*.json"))
NOTES = {"Note", "MarkdownNote"}
LOADERS = {"LoadVideo": "file", "VHS_LoadVideo": "video"}
"""Which input of a node names the clip."""


def load(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def as_api(editor: dict) -> dict:
    """Convert an editor graph the way the editor does when it queues: links and widget values by input name."""
    senders = {number: [str(sender), slot] for number, sender, slot, *_ in editor["links"]}
    graph = {}
    for node in editor["nodes"]:
        widgets = [given["name"] for given in node["inputs"] if "widget" in given]
        values = node.get("widgets_values", [])
        if isinstance(values, dict):  # as VideoHelperSuite stores them
            inputs = {widget: values[widget] for widget in widgets}
        else:
            inputs = dict(zip(widgets, values, strict=True)) if node["inputs"] else {}
        inputs |= {given["name"]: senders[given["link"]] for given in node["inputs"] if given["link"]}
        if node["type"] not in NOTES:
            graph[str(node["id"])] = {"class_type": node["type"], "inputs": inputs}
    return graph


def links_and_values(graph: dict, only: dict | None = None) -> dict:
    """Return what each node gets; `only` limits it to the inputs that another graph has as well."""
    return {
        number: {
            "class_type": node["class_type"],
            **{name: value for name, value in node["inputs"].items() if not only or name in only[number]["inputs"]},
        }
        for number, node in graph.items()
    }


def test_every_editor_graph_has_an_api_graph_and_the_other_way_round():
    assert NAMES
    assert sorted(path.name for path in (WORKFLOWS / "api").glob("*.json")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_editor_graph_converts_to_the_api_graph(name):
    converted, api = as_api(load(WORKFLOWS / name)), load(WORKFLOWS / "api" / name)
    assert links_and_values(converted, only=api) == links_and_values(api, only=converted)


@pytest.mark.parametrize("name", NAMES)
def test_the_graph_has_a_picture_for_the_list_of_templates(name):
    with Image.open(WORKFLOWS / name.replace(".json", ".jpg")) as picture:
        assert picture.format == "JPEG"
        assert picture.width >= 600


@pytest.mark.parametrize("name", NAMES)
def test_both_ends_of_every_link_know_it(name):
    editor = load(WORKFLOWS / name)
    nodes = {node["id"]: node for node in editor["nodes"]}
    for number, sender, out, receiver, into, kind in editor["links"]:
        assert number in nodes[sender]["outputs"][out]["links"]
        assert nodes[receiver]["inputs"][into]["link"] == number
        assert nodes[sender]["outputs"][out]["type"] == kind
        assert nodes[receiver]["inputs"][into]["type"] in (kind, "*")
    assert editor["last_link_id"] == max(number for number, *_ in editor["links"])
    assert editor["last_node_id"] == max(nodes)


def test_the_nodes_of_videohelpersuite_are_linked_and_set_as_they_ask():
    known = load(DATA / "videohelpersuite_nodes.json")
    graph = load(WORKFLOWS / "api" / "adcvsr_vhs.json")
    theirs = {number: node for number, node in graph.items() if node["class_type"] in known}
    assert {node["class_type"] for node in theirs.values()} == set(known)
    for node in theirs.values():
        asked = known[node["class_type"]]["input"]
        offered = asked["required"] | asked.get("optional", {})
        formats = offered.get("format", [None, {}])[1].get("formats", {})
        widgets = [widget for widget, *_ in formats.get(node["inputs"].get("format"), [])]
        assert set(asked["required"]) <= set(node["inputs"]) <= {*offered, *widgets}
        for name, value in node["inputs"].items():
            if isinstance(value, list) and value[0] in theirs:
                sender, slot = value
                assert known[graph[sender]["class_type"]]["output"][slot] == offered[name][0]


@pytest.mark.parametrize("name", NAMES)
def test_nodes_do_not_overlap_and_a_note_explains_the_graph(name):
    nodes = load(WORKFLOWS / name)["nodes"]
    boxes = [(*node["pos"], *(a + b for a, b in zip(node["pos"], node["size"]))) for node in nodes]
    for index, (left, top, right, bottom) in enumerate(boxes):
        for other in boxes[index + 1 :]:
            assert right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top
    assert any(len(node["widgets_values"][0]) > 40 for node in nodes if node["type"] in NOTES)


@pytest.mark.parametrize("name", NAMES)
def test_the_clip_that_the_graph_loads_is_bundled(name):
    nodes = load(WORKFLOWS / "api" / name).values()
    files = [node["inputs"][LOADERS[node["class_type"]]] for node in nodes if node["class_type"] in LOADERS]
    assert files
    assert all((WORKFLOWS / "assets" / file).is_file() for file in files)
