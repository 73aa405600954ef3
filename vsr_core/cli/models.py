"""`models`: the built-in models and those in the model folders."""

import argparse
from pathlib import Path

from ..checkpoints.header import read_header
from ..errors import CheckpointError
from ..load import identify
from ..models import DEFAULT, FOLDERS_VARIABLE, built_in, found, model_folders


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: this command takes no arguments."""


def run(arguments: argparse.Namespace) -> int:
    """Print one line per model."""
    print("built in")
    for name, path in built_in().items():
        print(f"  {name:<28}{_summary(path)}{'  (default)' if name == DEFAULT else ''}")
    folders = ", ".join(map(str, model_folders())) or f"none; set {FOLDERS_VARIABLE} to a folder of .safetensors files"
    print(f"model folders: {folders}")
    for name, path in found().items():
        print(f"  {name:<28}{_summary(path)}")
    return 0


def _summary(path: Path) -> str:
    try:
        metadata = identify(read_header(path))
    except CheckpointError as error:
        return f"not usable: {error}"
    return f"{metadata.architecture}, {path.stat().st_size / 1e6:.1f} MB, {metadata.source or 'source not stated'}"
