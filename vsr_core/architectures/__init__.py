"""The architectures this pack implements, by name. Each is a folder with the same files."""

from importlib import import_module
from types import ModuleType

from ..checkpoints.published import Published

ARCHITECTURES = ("adc_vsr", "duo_vsr", "os_diffvsr")


def architecture(name: str) -> ModuleType:
    """Return the module of an architecture: `detect`, `build` and `convert` live in it.

    Raises KeyError for a name that is not in ARCHITECTURES.
    """
    if name not in ARCHITECTURES:
        raise KeyError(name)
    return import_module(f".{name}", __package__)


def published() -> dict[str, Published]:
    """Return what others have published that models of these architectures can be made of, by name."""
    return {name: source for each in ARCHITECTURES for name, source in sorted(architecture(each).SOURCES.items())}
