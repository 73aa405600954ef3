"""Translate tensor names by table."""

from collections.abc import Sequence

Table = Sequence[tuple[str, str]]
"""(published, ours) pairs of name parts, applied in order, each to all its occurrences."""


def to_ours(name: str, table: Table) -> str:
    """Return our name of a published tensor."""
    for published, ours in table:
        name = name.replace(published, ours)
    return name
