"""The architectures this pack implements, by name. Each is a folder with the same files."""

from importlib import import_module
from types import ModuleType

ARCHITECTURES = ("adc_vsr", "duo_vsr", "os_diffvsr")


def architecture(name: str) -> ModuleType:
    """Return the module of an architecture: `detect`, `build` and `convert` live in it.

    Raises KeyError for a name that is not in ARCHITECTURES.
    """
    if name not in ARCHITECTURES:
        raise KeyError(name)
    return import_module(f".{name}", __package__)
