"""Translate tensor names by table."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from torch import Tensor

from ..errors import CheckpointError

Value = TypeVar("Value")
Table = Sequence[tuple[str, str]]
"""(published, ours) pairs of name parts, applied in order."""


def to_ours(name: str, table: Table) -> str:
    """Return our name of a published tensor: each pair applied to all its occurrences."""
    for published, ours in table:
        name = name.replace(published, ours)
    return name


def by_beginning(name: str, table: Table) -> str:
    """Return `name` with the first beginning that the table knows replaced; unknown names stay as they are."""
    for published, ours in table:
        if name.startswith(published):
            return ours + name.removeprefix(published)
    return name


def renamed(tensors: Mapping[str, Tensor], rename: Callable[[str], str]) -> dict[str, Tensor]:
    """Return the tensors under their new names. Raises CheckpointError if two of them get the same one."""
    found: dict[str, Tensor] = {}
    for name, value in tensors.items():
        ours = rename(name)
        if ours in found:
            raise CheckpointError(f"Two tensors of the file are called {ours} after translation; {name} is the second.")
        found[ours] = value
    return found


def without_prefix(values: Mapping[str, Value], prefix: str) -> dict[str, Value]:
    """Return the values, such as tensors, whose names begin with `prefix`, without it."""
    return {name.removeprefix(prefix): value for name, value in values.items() if name.startswith(prefix)}
