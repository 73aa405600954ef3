"""`prepare-data DIR... -o OUT`: cut media into short clips that training reads without decoding."""

import argparse
from pathlib import Path

from ..training.data import listed_sources, prepare, sources_in


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("folders", nargs="+", type=Path, metavar="DIR", help="folders of videos and photographs")
    parser.add_argument("--list", type=Path, metavar="JSON", help="take only the files, parts and sizes of this list")
    parser.add_argument("-o", "--out", required=True, type=Path, metavar="OUT", help="train on OUT/clips afterwards")


def run(arguments: argparse.Namespace) -> int:
    """Write the clips and say how many there are. Raises VSRError."""
    if arguments.list:
        sources = [source for folder in arguments.folders for source in listed_sources(arguments.list, folder)]
    else:
        sources = sources_in(arguments.folders)
    listed = prepare(sources, arguments.out)
    print(f"wrote {sum(entry['clips'] for entry in listed)} clips of {len(listed)} files to {arguments.out / 'clips'}")
    return 0
