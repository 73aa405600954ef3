"""Importing the pack is cheap and leaves everyone else's code alone. Needs a process of its own."""

import sys

import pytest

REFUSED = ("cv2", "diffusers")
WATCHED = ("comfy", "comfy_api", "comfy_execution", "execution", "folder_paths", "nodes", "server", "torch")


class Refuse:
    """Makes packages look not installed and notes that somebody asked for them."""

    asked: list[str] = []

    def find_spec(self, name, path=None, target=None):
        if name in REFUSED:
            self.asked.append(name)
            raise ModuleNotFoundError(name)


@pytest.fixture(scope="module")
def before_and_after(request):
    """What ComfyUI's and torch's modules held just before the pack was loaded, and after."""
    sys.meta_path.insert(0, Refuse())
    import comfy.sd  # noqa: F401
    import execution  # noqa: F401

    Refuse.asked.clear()
    before = functions_and_classes()
    assert request.getfixturevalue("node_classes")
    return before, functions_and_classes()


def functions_and_classes() -> dict[str, object]:
    watched = [(name, module) for name, module in sys.modules.items() if name.split(".")[0] in WATCHED]
    return {
        f"{name}.{key}": value
        for name, module in watched
        for key, value in list(vars(module).items())
        if callable(value)
    }


def test_loading_the_pack_asks_for_neither_opencv_nor_diffusers(before_and_after):
    assert Refuse.asked == []
    assert set(REFUSED).isdisjoint(sys.modules)


def test_loading_the_pack_replaces_nothing_in_comfyui_or_torch(before_and_after):
    before, after = before_and_after
    assert any(name.startswith("comfy.sd.") for name in before)
    assert [name for name, value in before.items() if after.get(name) is not value] == []
