"""The training loop. It knows steps, files and progress; what a step computes is the recipe's business."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from ..checkpoints.metadata import Metadata, config_to_json
from ..checkpoints.write import write_model
from ..errors import SettingError
from . import checkpoint
from .log import open_log
from .processes import items, mean_over_processes

if TYPE_CHECKING:
    from accelerate import Accelerator


class Stateful(Protocol):
    """A learner, or anything else that changes while a run goes on."""

    def state_dict(self) -> dict:
        """Return tensors, numbers and strings."""

    def load_state_dict(self, state: dict) -> None:
        """Continue from `state_dict()`."""


class Recipe(Protocol):
    """One training stage."""

    config: Any
    """Frozen dataclass with at least `steps`, and `batch`: how many items all processes take in a step."""
    stateful: dict[str, Stateful]
    """Everything that continuing needs."""

    def step(self, batch: Any, index: int) -> dict[str, float]:
        """Run every forward, loss and optimiser step of iteration `index`; return figures for the log."""

    def model(self, done: int) -> tuple[dict[str, Tensor], Metadata]:
        """Return the model after `done` steps: all of its weights, and what they are."""

    def sample(self, batch: Any) -> tuple[Tensor, Tensor, Tensor]:
        """Return input, restored and true frames (N, 3, H, W) in 0..1 for a picture."""


@dataclass(frozen=True, kw_only=True)
class LoopConfig:
    save_every: int = 500
    sample_every: int = 500
    log_every: int = 10
    workers: int = 1


def train(
    recipe: Recipe,
    data: Dataset,
    out: Path,
    *,
    accelerator: "Accelerator",
    resume: bool = False,
    config: LoopConfig | None = None,
) -> Path:
    """Run `recipe` on `data` and return the path of the model, which inference loads.

    Item i of `data` must depend on i alone: then a resumed run sees what an uninterrupted one sees. Ctrl-C saves
    and stops after the running step.
    """
    config = config or LoopConfig()
    first = accelerator.is_main_process
    done = start = _start(recipe, out, resume)
    batches = _batches(data, recipe, start, config.workers, accelerator)
    bar = tqdm(batches, initial=start, total=recipe.config.steps, unit="step", disable=not first)
    with _graceful_stop() as stop, open_log(out, append=resume) if first else nullcontext() as log:
        for index, batch in enumerate(bar, start):
            figures = recipe.step(batch, index)
            done = index + 1
            if done % config.log_every == 0 or done == recipe.config.steps:
                figures = mean_over_processes(accelerator, figures)
                bar.set_postfix({name: f"{value:.4g}" for name, value in figures.items()})
                if first:
                    log.figures(done, figures)
            if done % config.sample_every == 0:
                sample = recipe.sample(batch)
                if first:
                    log.picture(done, *sample)
            if done % config.save_every == 0:
                _save(recipe, done, out, first)
            if stop():
                accelerator.set_trigger()
            if accelerator.check_trigger():  # on all processes, if one of them was asked
                tqdm.write(f"Stopped after step {done}; continue with --resume.")
                break
    return _save(recipe, done, out, first)


def _save(recipe: Recipe, done: int, out: Path, first: bool) -> Path:
    """Write state and model; every process computes its part of them."""
    path = out / "model.safetensors"
    parts = {name: part.state_dict() for name, part in recipe.stateful.items()}
    weights, metadata = recipe.model(done)
    if first:
        checkpoint.save(out / "state.pt", {"step": done, "config": config_to_json(recipe.config), "parts": parts})
        write_model(path, weights, metadata, dtype=torch.float16, overwrite=True)
    return path


def _start(recipe: Recipe, out: Path, resume: bool) -> int:
    state_path = out / "state.pt"
    if not resume:
        if state_path.exists():
            raise SettingError(f"{out} already holds a run. Continue it with --resume or choose another --out.")
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SettingError(f"{out} cannot be used as a folder: {error}. Choose another --out.") from error
        return 0
    state = checkpoint.load(state_path)
    checkpoint.check_same_run(state["config"], config_to_json(recipe.config))
    for name, part in recipe.stateful.items():
        part.load_state_dict(state["parts"][name])
    return state["step"]


def _batches(data: Dataset, recipe: Recipe, start: int, workers: int, accelerator: "Accelerator") -> DataLoader:
    batch = recipe.config.batch
    share = len(items(accelerator, batch, 0))
    order = [item for step in range(start, recipe.config.steps) for item in items(accelerator, batch, step)]
    return DataLoader(
        data,
        batch_size=share,
        sampler=order,
        num_workers=workers,
        prefetch_factor=4 if workers else None,
        persistent_workers=bool(workers),
    )


@contextmanager
def _graceful_stop() -> Iterator:
    """Turn the first Ctrl-C into a request that the loop sees; a second one interrupts at once."""
    asked = []

    def ask(*_):
        if asked:
            raise KeyboardInterrupt
        asked.append(True)

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield lambda: bool(asked)
    finally:
        signal.signal(signal.SIGINT, before)
