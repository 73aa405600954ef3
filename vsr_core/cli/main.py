"""The command line: parse, run one command, turn errors into exit codes."""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from ..errors import SettingError, VSRError

COMMANDS = {
    "upscale": "restore and enlarge a video or a folder of images",
    "batch": "upscale every video of a folder, on one machine or on many",
    "inspect": "say what a model file is, or why it is none of ours",
    "models": "list the built-in models and those in the model folders",
    "fetch": "download published weights that models are made of",
    "convert": "turn published weights into a model file",
    "evaluate": "measure restored clips",
    "train": "run a training recipe",
    "preview-data": "write a picture of what a training recipe sees",
    "make-data": "make with a model what a recipe learns from",
    "prepare-data": "cut media into short clips that training reads fast",
}
FAILED, BAD_USAGE = 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return 0, 1 if the run failed, 2 if the arguments make no sense."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    try:
        parsed = _parser(arguments).parse_args(arguments)
        return parsed.run(parsed)
    except SettingError as error:
        print(f"error: {error}", file=sys.stderr)
        return BAD_USAGE
    except VSRError as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return FAILED
    except SystemExit as stop:  # argparse: 0 after --help, 2 after bad usage
        return stop.code if isinstance(stop.code, int) else BAD_USAGE


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """Build the parser; only the command that is asked for is imported."""
    parser = argparse.ArgumentParser(prog="python -m vsr_core", description="One-step video super-resolution.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=summary.capitalize() + ".")
        if name in arguments:
            module = import_module("." + name.replace("-", "_"), __package__)
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    return parser
