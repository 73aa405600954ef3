"""Every node has a help page that says what each input does and when to change it, with a picture."""

import json
import re
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "web" / "docs"
NODES = json.loads((ROOT / "locales" / "en" / "nodeDefs.json").read_text(encoding="utf-8"))
LARGEST_PICTURE = 150_000


def rows(page: str) -> dict[str, list[str]]:
    """Return the cells of every table row by the name in its first cell, the first one of that name."""
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line[:1] == "|"]
    return {row[0].removesuffix(" (optional)"): row[1:] for row in reversed(cells)}


def test_there_is_a_page_for_every_node_and_none_besides():
    assert {path.stem for path in PAGES.glob("*.md")} == set(NODES)


@pytest.mark.parametrize("node", NODES)
def test_the_page_is_named_like_the_node(node):
    first = (PAGES / f"{node}.md").read_text(encoding="utf-8").splitlines()[0]
    assert first == f"# {NODES[node]['display_name']}"


@pytest.mark.parametrize("node", NODES)
def test_every_input_has_a_row_and_every_widget_says_when_to_change_it(node):
    table = rows((PAGES / f"{node}.md").read_text(encoding="utf-8"))
    assert [name for name in NODES[node]["inputs"] if len("".join(table.get(name, []))) < 20] == []
    assert "when to change it" in table["input"]


@pytest.mark.parametrize("node", NODES)
def test_its_pictures_are_there_and_small(node):
    pictures = re.findall(r"!\[(.+?)\]\((.+?)\)", (PAGES / f"{node}.md").read_text(encoding="utf-8"))
    assert pictures
    for words, place in pictures:
        assert len(words) > 10
        assert (PAGES / place).stat().st_size < LARGEST_PICTURE
        with Image.open(PAGES / place) as picture:
            assert picture.width >= 300


def test_no_picture_is_left_over():
    pages = "".join(path.read_text(encoding="utf-8") for path in PAGES.glob("*.md"))
    assert [path.name for path in (PAGES / "pictures").iterdir() if f"pictures/{path.name}" not in pages] == []
