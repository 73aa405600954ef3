"""`prepare-data DIR... -o OUT`: cut media into short clips that training reads without decoding."""

import argparse
from pathlib import Path

from ..training.data import PrepareSettings, prepare, read_plan, sources_in


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("folders", nargs="+", type=Path, metavar="DIR", help="folders of videos and photographs")
    parser.add_argument(
        "--plan", type=Path, metavar="JSON", help="take the files, parts and sizes that this plan names"
    )
    parser.add_argument("-o", "--out", required=True, type=Path, metavar="OUT", help="train on OUT/clips afterwards")


def run(arguments: argparse.Namespace) -> int:
    """Write the clips and say how many there are. Raises VSRError."""
    if arguments.plan:
        sources, settings = read_plan(arguments.plan, arguments.folders)
    else:
        sources, settings = sources_in(arguments.folders), PrepareSettings()
    listed = prepare(sources, arguments.out, settings)
    print(f"wrote {sum(entry['clips'] for entry in listed)} clips of {len(listed)} files to {arguments.out / 'clips'}")
    return 0
