"""The graphs for the editor say the same as those for the server's /prompt."""

import json
from pathlib import Path

import pytest

WORKFLOWS = Path(__file__).parents[2] / "workflows"
NAMES = sorted(path.name for path in WORKFLOWS.glob("*.json"))
NOTES = {"Note", "MarkdownNote"}


def load(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def as_api(editor: dict) -> dict:
    """Convert an editor graph the way the editor does when it queues: links and widget values by input name."""
    senders = {number: [str(sender), slot] for number, sender, slot, *_ in editor["links"]}
    graph = {}
    for node in editor["nodes"]:
        widgets = [given["name"] for given in node["inputs"] if "widget" in given]
        inputs = dict(zip(widgets, node.get("widgets_values", []), strict=True)) if node["inputs"] else {}
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
def test_both_ends_of_every_link_know_it(name):
    editor = load(WORKFLOWS / name)
    nodes = {node["id"]: node for node in editor["nodes"]}
    for number, sender, out, receiver, into, kind in editor["links"]:
        assert number in nodes[sender]["outputs"][out]["links"]
        assert nodes[receiver]["inputs"][into]["link"] == number
        assert nodes[sender]["outputs"][out]["type"] == nodes[receiver]["inputs"][into]["type"] == kind
    assert editor["last_link_id"] == max(number for number, *_ in editor["links"])
    assert editor["last_node_id"] == max(nodes)


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
    files = [
        node["inputs"]["file"] for node in load(WORKFLOWS / "api" / name).values() if node["class_type"] == "LoadVideo"
    ]
    assert files
    assert all((WORKFLOWS / "assets" / file).is_file() for file in files)
