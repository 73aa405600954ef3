"""The English locale file says what the nodes say, and ComfyUI hands it to the editor."""

import json

import pytest
from comfyui.locale import ENGLISH, as_file, node_texts

pytestmark = pytest.mark.comfyui

SPECIAL = set("{}@|")
"""Characters that mean something to the editor's translations."""


@pytest.fixture(scope="module")
def texts(server) -> dict:
    return node_texts(server.get("/object_info"))


def every_text(texts: dict) -> dict[str, str]:
    """Return tooltips and descriptions by where they belong."""
    found = {}
    for node, said in texts.items():
        found[node] = said["description"]
        for side in ("inputs", "outputs"):
            found |= {f"{node}.{side}.{name}": entry["tooltip"] for name, entry in said[side].items()}
    return found


def test_the_file_is_up_to_date(texts):
    assert ENGLISH.read_text(encoding="utf-8") == as_file(texts), "`make locale` writes it anew"


def test_every_node_input_and_output_explains_itself(texts):
    assert [place for place, text in every_text(texts).items() if len(text or "") <= 20] == []


def test_no_text_means_something_else_to_the_editor(texts):
    assert [place for place, text in every_text(texts).items() if SPECIAL & set(text)] == []


def test_the_editor_is_given_the_texts(server):
    assert server.get("/i18n")["en"]["nodeDefs"] == json.loads(ENGLISH.read_text(encoding="utf-8"))
