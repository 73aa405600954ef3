"""The recipes by name.

Each module offers `ARGUMENTS`, `build` and runs by name: `tiny`, `small`, and `paper` where the paper has the stage.
"""

from importlib import import_module
from types import ModuleType

RECIPES = ("adc_vsr/stage1", "os_diffvsr/pretrain", "duo_vsr/pretrain")


def recipe(name: str) -> ModuleType:
    """Return the module of a recipe. Raises KeyError for a name that is not in RECIPES."""
    if name not in RECIPES:
        raise KeyError(name)
    return import_module("." + name.replace("/", "."), __package__)
