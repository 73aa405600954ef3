"""What the library asks of the program it runs in."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

import torch
from torch import Tensor, nn


class Runtime(Protocol):
    """Device, dtype, loading of parts, progress and cancellation."""

    @property
    def device(self) -> torch.device:
        """Device to compute on."""

    def dtype(self, supported: Sequence[torch.dtype]) -> torch.dtype:
        """Choose the computing dtype among `supported` (best first)."""

    def load(self, parts: Sequence[nn.Module], memory: int) -> None:
        """Bring `parts` to the device, leaving `memory` bytes for activations."""

    def free_memory(self) -> int:
        """Return the bytes that activations may use now."""

    def is_out_of_memory(self, error: BaseException) -> bool:
        """Tell whether `error` means that the device ran out of memory."""

    def empty_cache(self) -> None:
        """Give cached blocks back to the device."""

    def check_stopped(self) -> None:
        """Raise if the user asked to stop. Called before every tile."""

    def timed(self, stage: str) -> AbstractContextManager:
        """Enter a stage (encode, step or decode); measure it or do nothing."""

    def progress(self, stage: str, done: int, total: int | None, preview: Tensor | None = None) -> None:
        """Report that `done` of `total` (None: unknown) frames of `stage` are finished.

        `preview` is the newest frame (3, H, W) in 0..1.
        """
