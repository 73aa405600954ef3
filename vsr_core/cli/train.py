"""`train RECIPE`: run a training recipe."""

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from ..errors import SettingError
from ..training.loop import LoopConfig, train
from ..training.processes import PRECISIONS, accelerator
from ..training.recipes import CONFIGS, RECIPES, configs, recipe


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("recipe", choices=RECIPES, metavar="RECIPE", help=", ".join(RECIPES))
    for option, summary in needed_files().items():
        parser.add_argument(option, type=Path, metavar="PATH", help=summary)
    parser.add_argument(
        "--config", default="tiny", metavar="NAME", choices=CONFIGS, help=f"{', '.join(CONFIGS)}; default: tiny"
    )
    parser.add_argument("--data", nargs="+", type=Path, metavar="DIR", help="folders of videos and photographs")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where the run is kept (default: runs/RECIPE-CONFIG)")
    parser.add_argument("--resume", action="store_true", help="go on with the run in --out")
    parser.add_argument("--steps", type=_from(1), metavar="N", help="train for this many steps instead of the config's")
    parser.add_argument("--seed", type=int, help="default: the config's")
    parser.add_argument("--workers", type=_from(0), default=1, help="processes that prepare data (default: 1)")
    parser.add_argument("--save-every", type=_from(1), default=500, metavar="STEPS", help="default: 500")
    parser.add_argument("--precision", choices=tuple(PRECISIONS), default="bf16", help="of activations (default: bf16)")
    parser.add_argument("--device", choices=("auto", "cpu"), default="auto", help="auto: as `accelerate launch` says")


def run(arguments: argparse.Namespace) -> int:
    """Train and print where the model is."""
    module = recipe(arguments.recipe)
    config, files = _config(module, arguments), _files(module, arguments)
    if not arguments.data and arguments.config != "tiny":
        raise SettingError(f"--config {arguments.config} learns from real media; name their folders by --data.")
    data = module.dataset(config, arguments.data)
    out = arguments.out or Path("runs") / f"{arguments.recipe.replace('/', '-')}-{arguments.config}"
    place = accelerator(arguments.device, arguments.precision)
    stage = module.build(config, place, **files)
    loop = LoopConfig(save_every=arguments.save_every, sample_every=arguments.save_every, workers=arguments.workers)
    model = train(stage, data, out, accelerator=place, resume=arguments.resume, config=loop)
    if place.is_main_process:
        print(f"wrote {model} ({model.stat().st_size / 1e6:.1f} MB); python -m vsr_core upscale IN OUT --model {model}")
    return 0


def needed_files() -> dict[str, str]:
    """Return the options for files that the recipes take, with their meaning."""
    return {option: summary for name in RECIPES for option, summary in recipe(name).ARGUMENTS.items()}


def _config(module: ModuleType, arguments: argparse.Namespace) -> Any:
    known = configs(module)
    if arguments.config not in known:
        raise SettingError(f"{arguments.recipe} has no config {arguments.config!r}; choose {' or '.join(known)}.")
    config = replace(known[arguments.config](), **({} if arguments.seed is None else {"seed": arguments.seed}))
    return config if arguments.steps is None else replace(config, steps=arguments.steps)


def _files(module: ModuleType, arguments: argparse.Namespace) -> dict[str, Path | None]:
    given = {option: getattr(arguments, _name(option)) for option in needed_files()}
    unused = [option for option, path in given.items() if path is not None and option not in module.ARGUMENTS]
    if unused:
        raise SettingError(f"{arguments.recipe} makes no use of {', '.join(unused)}; leave it out.")
    return {_name(option): given[option] for option in module.ARGUMENTS}


def _name(option: str) -> str:
    return option.lstrip("-").replace("-", "_")


def _from(least: int) -> Callable[[str], int]:
    """Return a reader of whole numbers from `least` up, for argparse."""

    def number(text: str) -> int:
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"{value} is too small; use {least} or more")
        return value

    return number
