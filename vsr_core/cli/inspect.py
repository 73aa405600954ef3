"""`inspect FILE`: what a model file is."""

import argparse
from collections import Counter
from dataclasses import fields
from math import prod

from ..architectures import architecture
from ..checkpoints.header import read_header
from ..checkpoints.metadata import config_from_json
from ..load import identify
from ..models import find


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("file", metavar="FILE", help="a model file, or the name of a built-in model")


def run(arguments: argparse.Namespace) -> int:
    """Print what the file's header says. Raises CheckpointError if it is none of ours."""
    header = read_header(find(arguments.file))
    metadata = identify(header)
    module = architecture(metadata.architecture)
    config = config_from_json(module.Config, metadata.config)
    parts: Counter[str] = Counter()
    for name, tensor in header.tensors.items():
        parts[name.split(".")[0]] += prod(tensor.shape)
    print(f"file          {header.path}  ({header.path.stat().st_size / 1e6:.1f} MB)")
    print(f"architecture  {module.TITLE} ({metadata.architecture})")
    print(f"parameters    {parts.total() / 1e6:.1f} M: " + ", ".join(f"{k} {v / 1e6:.1f} M" for k, v in parts.items()))
    print(f"dtype         {', '.join(sorted({tensor.dtype for tensor in header.tensors.values()}))}")
    print(f"source        {metadata.source or 'not stated'}")
    print(f"licence       {metadata.licence or 'not stated'}")
    print("config")
    for field in fields(config):
        print(f"  {field.name:<18}{getattr(config, field.name)}")
    return 0
