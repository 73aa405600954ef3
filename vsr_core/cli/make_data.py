"""`make-data RECIPE`: make with a model what a recipe learns from."""

import argparse
from pathlib import Path

from tqdm import tqdm

from ..errors import SettingError
from ..metrics.weights import weights_folder
from ..runtime.standalone import choose_device
from ..training.recipes import CONFIGS, RECIPES, named_config, recipe


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    known = [name for name in RECIPES if hasattr(recipe(name), "make_data")]
    parser.add_argument("recipe", choices=known, metavar="RECIPE", help=", ".join(known))
    parser.add_argument("--init", type=Path, metavar="FILE", help="the model that the recipe starts from")
    parser.add_argument(
        "--config", choices=CONFIGS, default="tiny", metavar="NAME", help="of the recipe; default: tiny"
    )
    parser.add_argument("--data", nargs="+", type=Path, metavar="DIR", help="folders of videos and photographs")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for what is made")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="number of the first item (default: 0)")
    parser.add_argument("--count", type=int, metavar="N", help="how many items; default: all of the config's")
    parser.add_argument("--weights", type=Path, metavar="DIR", help="folder of the metrics' weights")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")


def run(arguments: argparse.Namespace) -> int:
    """Make the items that are not there yet and print where they are."""
    module, out = recipe(arguments.recipe), arguments.out
    config = named_config(arguments.recipe, arguments.config)
    if not arguments.data and arguments.config != "tiny":
        raise SettingError(f"--config {arguments.config} is made of real media; name their folders by --data.")
    count = config.pairs - arguments.first if arguments.count is None else arguments.count
    if arguments.first < 0 or count < 1:
        raise SettingError(f"Nothing to make from number {arguments.first} on: use --first 0 or more and --count.")
    made = module.make_data(
        config,
        arguments.data,
        out,
        range(arguments.first, arguments.first + count),
        init=arguments.init,
        weights=weights_folder(arguments.weights),
        device=choose_device(arguments.device),
    )
    for _ in tqdm(made, total=count, unit="item"):
        pass
    options = f"--config {arguments.config} --init {arguments.init or 'MODEL'} --data {out}"
    print(f"wrote {out}; python -m vsr_core train {arguments.recipe} {options}")
    return 0
