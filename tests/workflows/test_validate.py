"""Every shipped graph passes `comfy workflow validate` of comfy-cli, in both formats."""

import json
import os
import subprocess
from pathlib import Path

import pytest

WORKFLOWS = Path(__file__).parents[2] / "workflows"
VIDEOHELPERSUITE = Path(__file__).parents[1] / "data" / "videohelpersuite_nodes.json"
GRAPHS = sorted([*WORKFLOWS.glob("*.json"), *WORKFLOWS.glob("api/*.json")])

pytestmark = pytest.mark.comfyui


@pytest.fixture(scope="module")
def validate(server, comfy_cli, tmp_path_factory):
    """Return what the validation of a graph says, against the nodes of the server and of VideoHelperSuite."""
    server.upload(WORKFLOWS / "assets" / "night_city_240p.mp4")
    folder = tmp_path_factory.mktemp("comfy_cli")
    nodes = server.get("/object_info") | json.loads(VIDEOHELPERSUITE.read_text(encoding="utf-8"))
    (folder / "object_info.json").write_text(json.dumps(nodes))
    home = {name: str(folder) for name in ("HOME", "USERPROFILE", "XDG_CONFIG_HOME", "XDG_DATA_HOME")}

    def run(graph: Path) -> dict:
        command = [comfy_cli, "--skip-prompt", "workflow", "validate", "--where", "local"]
        files = ["--workflow", str(graph), "--input", str(folder / "object_info.json")]
        done = subprocess.run([*command, *files], env={**os.environ, **home}, capture_output=True, text=True)
        return json.loads(done.stdout)["data"]

    return run


@pytest.mark.parametrize("graph", GRAPHS, ids=lambda path: path.relative_to(WORKFLOWS).as_posix())
def test_the_graph_is_valid(validate, graph):
    said = validate(graph)
    assert (said["valid"], said["errors"], said["warnings"]) == (True, [], [])


@pytest.mark.parametrize(
    ("node", "name", "value"), [("3", "dtype", "fp12"), ("5", "images", ["99", 0]), ("6", "latent", ["3", 0])]
)
def test_a_broken_graph_is_not(validate, tmp_path, node, name, value):
    graph = json.loads((WORKFLOWS / "api" / "adcvsr.json").read_text(encoding="utf-8"))
    graph[node]["inputs"][name] = value
    (tmp_path / "broken.json").write_text(json.dumps(graph))
    assert not validate(tmp_path / "broken.json")["valid"]
