"""`convert ARCHITECTURE ...`: published weights to a model file."""

import argparse

from ..architectures import ARCHITECTURES, architecture
from ..runtime.standalone import DTYPES


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add one sub-command per architecture, with the files that it converts."""
    kinds = parser.add_subparsers(dest="architecture", required=True, metavar="ARCHITECTURE")
    for name in ARCHITECTURES:
        module = architecture(name)
        kind = kinds.add_parser(name, help=f"{module.TITLE} from {', '.join(module.ARGUMENTS.values())}")
        for option, help_text in module.ARGUMENTS.items():
            kind.add_argument(option, required=True, metavar="FILE", help=help_text)
        kind.add_argument("-o", "--out", required=True, metavar="OUT.safetensors", help="the model file to write")
        kind.add_argument("--dtype", choices=DTYPES, default="fp32", help="how to store the weights (default: fp32)")


def run(arguments: argparse.Namespace) -> int:
    """Convert and print where the model is. Raises CheckpointError."""
    module = architecture(arguments.architecture)
    files = {option.lstrip("-"): getattr(arguments, option.lstrip("-")) for option in module.ARGUMENTS}
    path = module.convert(**files, out=arguments.out, dtype=DTYPES[arguments.dtype])
    print(f"wrote {path} ({path.stat().st_size / 1e6:.1f} MB)")
    return 0
