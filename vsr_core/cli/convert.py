"""`convert ARCHITECTURE ...`: published weights to a model file."""

import argparse

from ..architectures import ARCHITECTURES, architecture
from ..runtime.standalone import DTYPES


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add one sub-command per architecture, with what it converts from."""
    kinds = parser.add_subparsers(dest="architecture", required=True, metavar="ARCHITECTURE")
    for name in ARCHITECTURES:
        module = architecture(name)
        needed = ", ".join(argument.help for argument in module.ARGUMENTS.values() if argument.required)
        kind = kinds.add_parser(name, help=f"{module.TITLE} from {needed}")
        for option, argument in module.ARGUMENTS.items():
            kind.add_argument(option, required=argument.required, metavar=argument.metavar, help=argument.help)
        kind.add_argument("-o", "--out", required=True, metavar="OUT.safetensors", help="the model file to write")
        kind.add_argument("--dtype", choices=DTYPES, default="fp32", help="how to store the weights (default: fp32)")


def run(arguments: argparse.Namespace) -> int:
    """Convert and print where the model is. Raises CheckpointError."""
    module = architecture(arguments.architecture)
    keywords = [option.lstrip("-").replace("-", "_") for option in module.ARGUMENTS]
    given = {keyword: getattr(arguments, keyword) for keyword in keywords}
    path = module.convert(**given, out=arguments.out, dtype=DTYPES[arguments.dtype])
    print(f"wrote {path} ({path.stat().st_size / 1e6:.1f} MB)")
    return 0
