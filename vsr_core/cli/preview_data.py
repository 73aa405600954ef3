"""`preview-data RECIPE -o SHEET.png`: a picture of what a training recipe sees."""

import argparse
from pathlib import Path

from ..errors import VideoError
from ..training.data.preview import preview
from ..training.recipes import recipe
from .train import add_data_arguments, chosen_config, chosen_data, from_least


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    add_data_arguments(parser)
    parser.add_argument("--items", type=from_least(1), default=4, metavar="N", help="how many of them (default: 4)")
    parser.add_argument("-o", "--out", required=True, type=Path, metavar="PNG", help="the picture to write")


def run(arguments: argparse.Namespace) -> int:
    """Write the picture and say how large it is. Raises VSRError."""
    module = recipe(arguments.recipe)
    data = chosen_data(module, chosen_config(arguments), arguments)
    sheet = preview([data[index] for index in range(arguments.items)])
    try:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        sheet.save(arguments.out)
    except (OSError, ValueError) as error:
        raise VideoError(f"Could not write {arguments.out}: {error}. Name a .png in a writable folder.") from error
    print(f"wrote {arguments.items} items to {arguments.out} ({sheet.width}x{sheet.height})")
    return 0
