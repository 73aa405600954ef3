"""The recipes by name.

Each module offers `ARGUMENTS` (the files it takes: option -> help), `dataset(config, folders)`, `build(config,
accelerator, **files)` and runs by name: `tiny`, `small`, and `paper` where the paper has the stage. `DATA_FILES` lists
the options that `dataset` takes too, if any. A recipe that learns from what a model makes also has `make_data(config,
folders, out, numbers, *, init, weights, device)`, which writes those items, `config.pairs` of them in all, and yields
their files.
"""

from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

from ..errors import SettingError

RECIPES = (
    "adc_vsr/stage1",
    "adc_vsr/stage2",
    "os_diffvsr/pretrain",
    "os_diffvsr/adjacent_frame",
    "duo_vsr/pretrain",
    "duo_vsr/autoencoder",
    "duo_vsr/base",
    "duo_vsr/stage1",
    "duo_vsr/stage2",
    "duo_vsr/stage3",
)
CONFIGS = ("tiny", "small", "small_mixed", "small_lpips", "paper")


def recipe(name: str) -> ModuleType:
    """Return the module of a recipe. Raises KeyError for a name that is not in RECIPES."""
    if name not in RECIPES:
        raise KeyError(name)
    return import_module("." + name.replace("/", "."), __package__)


def named_config(name: str, config: str) -> Any:
    """Return the run called `config` of the recipe called `name`. Raises SettingError if it has none."""
    module = recipe(name)
    known: dict[str, Callable[[], Any]] = {each: getattr(module, each) for each in CONFIGS if hasattr(module, each)}
    if config not in known:
        raise SettingError(f"{name} has no config {config!r}; choose {' or '.join(known)}.")
    return known[config]()
