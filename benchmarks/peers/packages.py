"""Reach the networks and weights inside packages whose own entry points need VapourSynth, TensorRT or Vulkan."""

import sys
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from vsr_core.errors import MissingPackageError


def package_folder(package: str, packages: str) -> Path:
    """Return the folder of an installed package, which is not imported. Raises MissingPackageError."""
    spec = find_spec(package)
    if spec is None:
        raise MissingPackageError(
            f'The package {package} is not installed: "{sys.executable}" -m pip install --no-deps {packages}'
        )
    return Path(spec.submodule_search_locations[0])


def import_file(folder: Path, name: str, replaced: Mapping[str, ModuleType] | None = None) -> ModuleType:
    """Import `name`.py of a package's folder without running the package's __init__.

    `replaced` are modules that its relative imports find in place of the package's own. Nothing stays in sys.modules.
    """
    shell = ModuleType(folder.name)
    shell.__path__ = [str(folder)]
    before = dict(sys.modules)
    sys.modules[folder.name] = shell
    sys.modules.update({f"{folder.name}.{part}": module for part, module in (replaced or {}).items()})
    try:
        return import_module(f"{folder.name}.{name}")
    finally:
        for imported in [module for module in sys.modules if module.split(".")[0] == folder.name]:
            del sys.modules[imported]
        sys.modules.update({known: module for known, module in before.items() if known.split(".")[0] == folder.name})
