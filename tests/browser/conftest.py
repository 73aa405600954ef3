import json
from pathlib import Path

import pytest
from comfyui.browser import browsing, find_chromium
from comfyui.fixtures import comfyui, there_or_failed  # noqa: F401
from comfyui.frontend import get_frontend
from comfyui.server import running_server
from media import make_video

SETTINGS = {"Comfy.TutorialCompleted": True, "Comfy.Graph.CanvasInfo": False, "Comfy.Minimap.Visible": False}
"""No dialog of templates at the first visit, and nothing on top of the graph."""
WORKFLOWS = Path(__file__).parents[2] / "workflows"


@pytest.fixture(scope="session")
def chromium() -> str:
    return find_chromium() or pytest.skip("no Chromium: install it, or name it by CHROMIUM=/path, to test the editor")


@pytest.fixture(scope="module")  # not the session: an open editor keeps drawing, beside whatever is tested next
def server(chromium, comfyui, tmp_path_factory):  # noqa: F811
    """A ComfyUI with its editor; a clip of two frames stands in for the bundled one."""
    base = tmp_path_factory.mktemp("comfyui")
    with running_server(comfyui, base, frontend=there_or_failed(get_frontend)) as running:
        for clip in (WORKFLOWS / "assets").glob("*.mp4"):
            make_video(running.base / "input" / clip.name, frames=2, height=34, width=60)
        (running.base / "user" / "default").mkdir(exist_ok=True)
        (running.base / "user" / "default" / "comfy.settings.json").write_text(json.dumps(SETTINGS))
        yield running


@pytest.fixture(scope="module")
def editor(chromium, server, tmp_path_factory):
    """The page of the editor, ready."""
    with browsing(chromium, f"http://{server.address}", tmp_path_factory.mktemp("profile")) as page:
        page.wait_for(
            "document.querySelector('canvas#graph-canvas') && window.app?.extensionManager && window.app.graph"
        )
        yield page


@pytest.fixture
def opened(editor, name):
    """The page with a shipped workflow opened in it."""
    workflow = json.loads((WORKFLOWS / name).read_text(encoding="utf-8"))
    editor.evaluate(f"window.app.loadGraphData({json.dumps(workflow)}).then(() => true)")
    return editor
