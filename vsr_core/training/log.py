"""What a run leaves behind to look at: figures as JSON lines and, with the package tensorboard, for TensorBoard."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from torch import Tensor

from .contact_sheet import contact_sheet, save_picture


class Log:
    """The log of the run in a folder; see `open_log`."""

    def __init__(self, out: Path, file, board):
        self.out, self._file, self._board = out, file, board

    def figures(self, step: int, figures: dict[str, float]) -> None:
        """Append one line to log.jsonl."""
        self._file.write(json.dumps({"step": step, "time": round(time.time(), 1), **figures}) + "\n")
        self._file.flush()
        for name, value in figures.items() if self._board else ():
            self._board.add_scalar(name, value, step)

    def picture(self, step: int, lr: Tensor, restored: Tensor, target: Tensor) -> None:
        """Write sample_STEP.png; frames as of `contact_sheet`."""
        pixels = contact_sheet(lr, restored, target)
        save_picture(self.out / f"sample_{step:06d}.png", pixels)
        if self._board:
            self._board.add_image("input | restored | target", pixels, step)


@contextmanager
def open_log(out: Path, *, append: bool) -> Iterator[Log]:
    """Open the log in `out` anew, or go on with it."""
    with open(out / "log.jsonl", "a" if append else "w") as file, _board(out) as board:
        yield Log(out, file, board)


@contextmanager
def _board(out: Path) -> Iterator:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        yield None
        return
    with SummaryWriter(out / "tensorboard") as board:
        yield board
