"""pyproject.toml says all that ComfyUI's registry asks for."""

import re
import sys
from pathlib import Path

import pytest
from PIL import Image

if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib = pytest.importorskip("tomli")

ROOT = Path(__file__).parents[2]
VERSION = r"\d+\.\d+\.\d+"


@pytest.fixture(scope="module")
def pyproject() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_the_project_is_named_and_licensed_as_the_registry_wants(pyproject):
    project = pyproject["project"]
    assert re.fullmatch(r"[a-z](?:[-_.]?[a-z0-9]){2,99}", project["name"])
    assert re.fullmatch(VERSION, project["version"])
    assert project["license"] == "Apache-2.0"
    assert 20 < len(project["description"]) < 200
    assert "Operating System :: OS Independent" in project["classifiers"]


def test_the_publisher_the_name_and_the_oldest_comfyui_are_stated(pyproject):
    comfy = pyproject["tool"]["comfy"]
    assert re.fullmatch(r"[a-z][a-z0-9-]+", comfy["PublisherId"])
    assert comfy["DisplayName"]
    assert re.fullmatch(rf">={VERSION}", comfy["requires-comfyui"])


def test_the_icon_is_a_square_and_the_banner_is_21_to_9(pyproject):
    comfy = pyproject["tool"]["comfy"]
    with Image.open(ROOT / comfy["Icon"]) as icon, Image.open(ROOT / comfy["Banner"]) as banner:
        assert icon.width == icon.height <= 400
        assert banner.width * 9 == banner.height * 21
    assert all((ROOT / comfy[kind]).with_suffix(".svg").is_file() for kind in ("Icon", "Banner"))
    assert all((ROOT / comfy[kind]).stat().st_size < 100_000 for kind in ("Icon", "Banner"))


def test_the_changelog_begins_with_this_version(pyproject):
    headings = re.findall(rf"^## ({VERSION})", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert headings[0] == pyproject["project"]["version"]


def test_the_rules_of_the_registry_are_errors_here(pyproject):
    lint = pyproject["tool"]["ruff"]["lint"]
    assert {"S102", "S307", "E702"} <= set(lint["select"])
    assert not {"S", "S1", "S3", "S102", "S307", "E7", "E702"} & set(lint["ignore"])
    assert "per-file-ignores" not in lint
