"""The recipes by name.

Each module offers `ARGUMENTS` (the files it takes: option -> help), `dataset(config, folders)`, `build(config,
accelerator, **files)` and runs by name: `tiny`, `small`, and `paper` where the paper has the stage. If it learns from
what a model makes, also `make_data(config, folders, out, numbers, *, init, weights, device)`, which writes those items,
`config.pairs` of them in all, and yields their files.
"""

from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

RECIPES = (
    "adc_vsr/stage1",
    "os_diffvsr/pretrain",
    "duo_vsr/pretrain",
    "duo_vsr/base",
    "duo_vsr/stage1",
    "duo_vsr/stage2",
    "duo_vsr/stage3",
)
CONFIGS = ("tiny", "small", "small_dists", "paper")


def recipe(name: str) -> ModuleType:
    """Return the module of a recipe. Raises KeyError for a name that is not in RECIPES."""
    if name not in RECIPES:
        raise KeyError(name)
    return import_module("." + name.replace("/", "."), __package__)


def configs(module: ModuleType) -> dict[str, Callable[[], Any]]:
    """Return the runs that a recipe offers."""
    return {name: getattr(module, name) for name in CONFIGS if hasattr(module, name)}
