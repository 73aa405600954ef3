"""`train RECIPE`: run a training recipe."""

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from torch.utils.data import Dataset

from ..errors import SettingError
from ..training.loop import LoopConfig, train
from ..training.processes import PRECISIONS, accelerator
from ..training.recipes import CONFIGS, RECIPES, named_config, recipe


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    add_data_arguments(parser)
    for option, summary in needed_files().items():
        parser.add_argument(option, type=Path, metavar="PATH", help=summary)
    parser.add_argument("--out", type=Path, metavar="DIR", help="where the run is kept (default: runs/RECIPE-CONFIG)")
    parser.add_argument("--resume", action="store_true", help="go on with the run in --out")
    parser.add_argument("--steps", type=from_least(1), metavar="N", help="train for this many steps, not the config's")
    parser.add_argument("--workers", type=from_least(0), default=1, help="processes that prepare data (default: 1)")
    parser.add_argument("--save-every", type=from_least(1), default=500, metavar="STEPS", help="default: 500")
    parser.add_argument("--precision", choices=tuple(PRECISIONS), default="bf16", help="of activations (default: bf16)")
    parser.add_argument("--device", choices=("auto", "cpu"), default="auto", help="auto: as `accelerate launch` says")


def add_data_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say what a run sees."""
    parser.add_argument("recipe", choices=RECIPES, metavar="RECIPE", help=", ".join(RECIPES))
    parser.add_argument(
        "--config", default="tiny", metavar="NAME", choices=CONFIGS, help=f"{', '.join(CONFIGS)}; default: tiny"
    )
    parser.add_argument("--data", nargs="+", type=Path, metavar="DIR", help="folders of videos and photographs")
    parser.add_argument("--seed", type=int, help="default: the config's")


def run(arguments: argparse.Namespace) -> int:
    """Train and print where the model is."""
    module = recipe(arguments.recipe)
    config, files = chosen_config(arguments), _files(module, arguments)
    if arguments.steps is not None:
        config = replace(config, steps=arguments.steps)
    for_data = {_name(option): files[_name(option)] for option in getattr(module, "DATA_FILES", ())}
    data = chosen_data(module, config, arguments, **for_data)
    out = arguments.out or Path("runs") / f"{arguments.recipe.replace('/', '-')}-{arguments.config}"
    place = accelerator(arguments.device, arguments.precision)
    stage = module.build(config, place, **files)
    loop = LoopConfig(save_every=arguments.save_every, sample_every=arguments.save_every, workers=arguments.workers)
    model = train(stage, data, out, accelerator=place, resume=arguments.resume, config=loop)
    if place.is_main_process:
        print(f"wrote {model} ({model.stat().st_size / 1e6:.1f} MB); python -m vsr_core upscale IN OUT --model {model}")
    return 0


def chosen_config(arguments: argparse.Namespace) -> Any:
    """Return the recipe's run of `--config` and `--seed`. Raises SettingError if it has none of that name."""
    config = named_config(arguments.recipe, arguments.config)
    return config if arguments.seed is None else replace(config, seed=arguments.seed)


def chosen_data(module: ModuleType, config: Any, arguments: argparse.Namespace, **files: Path | None) -> Dataset:
    """Return what the run learns from. Raises SettingError if that are files that `--data` does not name."""
    if not arguments.data and arguments.config != "tiny":
        raise SettingError(f"--config {arguments.config} learns from real media; name their folders by --data.")
    return module.dataset(config, arguments.data, **files)


def needed_files() -> dict[str, str]:
    """Return the options for files that the recipes take, with their meaning."""
    return {option: summary for name in RECIPES for option, summary in recipe(name).ARGUMENTS.items()}


def _files(module: ModuleType, arguments: argparse.Namespace) -> dict[str, Path | None]:
    given = {option: getattr(arguments, _name(option)) for option in needed_files()}
    unused = [option for option, path in given.items() if path is not None and option not in module.ARGUMENTS]
    if unused:
        raise SettingError(f"{arguments.recipe} makes no use of {', '.join(unused)}; leave it out.")
    return {_name(option): given[option] for option in module.ARGUMENTS}


def _name(option: str) -> str:
    return option.lstrip("-").replace("-", "_")


def from_least(least: int) -> Callable[[str], int]:
    """Return a reader of whole numbers from `least` up, for argparse."""

    def number(text: str) -> int:
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"{value} is too small; use {least} or more")
        return value

    return number
