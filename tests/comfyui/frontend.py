"""ComfyUI's real editor, as a folder of files to serve."""

import os
import shutil
import sys
from pathlib import Path

from filelock import FileLock

from .tree import REPOSITORY, run_pip

PACKAGE = "comfyui-frontend-package==1.47.12"
INSIDE = Path("comfyui_frontend_package") / "static"


def get_frontend(folder: Path = REPOSITORY / ".comfyui") -> Path:
    """Return the folder that COMFYUI_FRONTEND names, or the one in `folder`, downloaded there on first use."""
    if os.environ.get("COMFYUI_FRONTEND"):
        return Path(os.environ["COMFYUI_FRONTEND"])
    target, stamp = folder / "frontend", folder / "frontend.txt"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "lock"):
        if not stamp.is_file() or stamp.read_text() != PACKAGE:
            shutil.rmtree(target, ignore_errors=True)
            run_pip(Path(sys.executable), "install", "--no-deps", "--target", str(target), PACKAGE)
            stamp.write_text(PACKAGE)
    return target / INSIDE
