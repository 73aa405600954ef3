"""Packages that not every installation has: imported when they are needed, and missed in words."""

import sys
from importlib import import_module
from typing import Any

from .errors import MissingPackageError

INSTALLED_AS = {"cv2": "opencv-python"}


def from_package(package: str, name: str | None, purpose: str) -> Any:
    """Return what is called `name` in `package`, or the package itself.

    Raises MissingPackageError, which says what to install where, if there is none or one that does not work.
    """
    try:
        module = import_module(package)
        return module if name is None else getattr(module, name)
    except (ImportError, AttributeError, RuntimeError) as error:  # diffusers: RuntimeError for what it imports in turn
        installed = INSTALLED_AS.get(package, package)
        raise MissingPackageError(
            f"{purpose} needs the package {installed}, which cannot be imported ({error}). Install it into the Python "
            f'that runs this: "{sys.executable}" -m pip install --upgrade {installed}'
        ) from error
