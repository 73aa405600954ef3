"""The registry's own tool finds nothing to complain about, and the archive it makes runs in a real ComfyUI."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from zipfile import ZipFile

import pytest
from comfyui.client import run_graph
from comfyui.server import running_server
from media import make_video

ROOT = Path(__file__).parents[2]
NEEDED = ("__init__.py", "pyproject.toml", "requirements.txt", "LICENSE", "README.md", "nodes/__init__.py")
FOLDERS = {"nodes", "vsr_core", "web", "workflows", "locales", "docs"}
FILES = {"__init__.py", "pyproject.toml", "requirements.txt", "LICENSE", "README.md", "CHANGELOG.md", "CONTRIBUTING.md"}

pytestmark = [pytest.mark.comfyui, pytest.mark.slow]


def git(folder: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def repository(tmp_path_factory) -> Path:
    """A copy of this repository as the next commit would have it; `comfy` writes its archive into it."""
    copy = tmp_path_factory.mktemp("repository") / "pack"
    for name in git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard").splitlines():
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    git(copy, "init", "--quiet")
    git(copy, "add", ".")
    return copy


@pytest.fixture(scope="module")
def comfy(comfy_cli, repository):
    """Run `comfy node ...` in the copy and return what it says."""

    def run(*words: str) -> str:
        environment = {**os.environ, "DO_NOT_TRACK": "1", "HOME": str(repository.parent), "COLUMNS": "200"}
        command = [comfy_cli, "--skip-prompt", "node", *words]
        done = subprocess.run(command, cwd=repository, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


@pytest.fixture(scope="module")
def archive(comfy, repository) -> Path:
    comfy("pack")
    return next(repository.glob("*.zip"))


def test_the_registry_finds_nothing_to_complain_about(comfy):
    said = comfy("validate")
    assert "All validation checks passed" in said
    assert "warning" not in said.lower()


def test_the_archive_holds_what_runs_and_nothing_else(archive):
    names = ZipFile(archive).namelist()
    assert set(NEEDED) <= set(names)
    assert {name.split("/")[0] for name in names if "/" in name} <= FOLDERS
    assert {name for name in names if "/" not in name} == FILES
    assert {f"workflows/{path.name}" for path in (ROOT / "workflows").glob("*.json")} <= set(names)
    assert {f"web/docs/{path.name}" for path in (ROOT / "web" / "docs").glob("*.md")} <= set(names)


def test_what_the_archive_holds_upscales_a_clip_in_a_real_comfyui(archive, comfyui, tmp_path):
    ZipFile(archive).extractall(tmp_path / "pack")
    clip = make_video(tmp_path / "clip.mp4", frames=2, height=16, width=24)
    graph = json.loads((tmp_path / "pack" / "workflows" / "api" / "adcvsr.json").read_text())
    with running_server(comfyui, tmp_path / "base", pack=tmp_path / "pack") as server:
        graph["1"]["inputs"]["file"] = server.upload(clip)
        assert run_graph(server, graph).ending == "execution_success", server.log[-2000:]
