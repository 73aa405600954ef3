"""The recipes by name. Each module offers `ARGUMENTS`, `tiny`, `small`, `paper` and `build`."""

from importlib import import_module
from types import ModuleType

RECIPES = ("adc_vsr/stage1",)


def recipe(name: str) -> ModuleType:
    """Return the module of a recipe. Raises KeyError for a name that is not in RECIPES."""
    if name not in RECIPES:
        raise KeyError(name)
    return import_module("." + name.replace("/", "."), __package__)
