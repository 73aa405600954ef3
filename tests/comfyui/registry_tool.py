"""comfy-cli, the tool of ComfyUI's registry, in an environment of its own."""

import os
import sys
import venv
from pathlib import Path

from filelock import FileLock

from .tree import REPOSITORY, python_of, run_pip

PACKAGE = "comfy-cli==1.23.0"


def get_comfy_cli(folder: Path = REPOSITORY / ".comfyui") -> Path:
    """Return the program that COMFY_CLI names, or the one in `folder`, installed there on first use."""
    if os.environ.get("COMFY_CLI"):
        return Path(os.environ["COMFY_CLI"])
    environment, stamp, recipe = folder / "cli", folder / "cli.txt", f"{PACKAGE}\n{sys.version}"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "lock"):
        if not stamp.is_file() or stamp.read_text() != recipe:
            venv.create(environment, with_pip=True, clear=True)
            run_pip(python_of(environment), "install", PACKAGE)
            stamp.write_text(recipe)
    return python_of(environment).with_name("comfy.exe" if os.name == "nt" else "comfy")
