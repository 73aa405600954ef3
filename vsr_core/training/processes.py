"""Training on one process or many: where it computes, and who computes which items."""

from typing import TYPE_CHECKING

import torch

from ..errors import SettingError
from ..packages import from_package

if TYPE_CHECKING:
    from accelerate import Accelerator

PRECISIONS = {"bf16": "bf16", "fp16": "fp16", "fp32": "no"}


def accelerator(device: str = "auto", precision: str = "bf16") -> "Accelerator":
    """Return what `accelerate launch` and its configuration set up, or one process.

    `device` is auto or cpu. Raises MissingPackageError without the package accelerate.
    """
    kind = from_package("accelerate", "Accelerator", "Training")
    return kind(cpu=device == "cpu", mixed_precision=PRECISIONS[precision])


def items(accelerator: "Accelerator", batch: int, index: int) -> range:
    """Return the numbers of the items of step `index` that this process computes, of `batch` for all processes.

    Raises SettingError if the processes cannot share a batch evenly.
    """
    count = accelerator.num_processes
    if batch % count:
        raise SettingError(f"A batch of {batch} cannot be shared by {count} processes; use a multiple of {count}.")
    share = batch // count
    first = index * batch + accelerator.process_index * share
    return range(first, first + share)


def mean_over_processes(accelerator: "Accelerator", figures: dict[str, float]) -> dict[str, float]:
    """Return the means of figures that every process has of its own share."""
    values = torch.tensor(list(figures.values()), dtype=torch.float32, device=accelerator.device)
    return dict(zip(figures, accelerator.reduce(values, "mean").tolist()))
