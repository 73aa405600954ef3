"""What everything that takes frames has in common."""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Protocol

from torch import Tensor


class Writer(Protocol):
    """Takes frames in order."""

    def write(self, image: Tensor, time: Fraction, alpha: Tensor | None = None) -> None:
        """Append RGB (3, H, W) and alpha (1, H, W), both in 0..1, shown from `time` (source seconds)."""

    def finish(self) -> None:
        """Complete what was written."""

    def abort(self) -> None:
        """Give up what was written."""


@contextmanager
def finished(writer: Writer) -> Iterator[Writer]:
    """Yield `writer`; finish it when the block ends, give it up where the block or finishing fails."""
    try:
        yield writer
        writer.finish()
    except BaseException:
        writer.abort()
        raise
