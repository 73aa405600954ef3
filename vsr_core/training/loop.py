"""The training loop. It knows steps, files and progress; what a step computes is the recipe's business."""

import json
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from ..errors import SettingError
from . import checkpoint


class Recipe(Protocol):
    """One training stage."""

    batch: int
    steps: int

    def step(self, batch: tuple[torch.Tensor, torch.Tensor], index: int) -> dict[str, float]:
        """Run every forward, loss and optimiser step of iteration `index`; return figures for the log."""

    def state_dict(self) -> dict:
        """Return everything that continuing needs."""

    def load_state_dict(self, state: dict) -> None:
        """Continue from `state_dict()`."""

    def export(self, path: Path, done: int) -> Path:
        """Write the model after `done` steps as a checkpoint that inference loads."""

    def sample(self, batch: tuple[torch.Tensor, torch.Tensor], path: Path) -> None:
        """Write a picture of input, output and target."""


@dataclass(frozen=True, kw_only=True)
class LoopConfig:
    save_every: int = 500
    sample_every: int = 500
    log_every: int = 10
    workers: int = 1


def train(recipe: Recipe, data: Dataset, out: Path, *, resume: bool = False, config: LoopConfig | None = None) -> Path:
    """Run `recipe` on `data` and return the exported model's path.

    Item i of `data` must depend on i alone: then a resumed run sees what an uninterrupted one sees. Ctrl-C saves
    and stops after the running step.
    """
    config = config or LoopConfig()
    start = _start(recipe, out, resume)
    with _graceful_stop() as stop, _log(out, append=resume) as log:
        bar = tqdm(_batches(data, recipe, start, config.workers), initial=start, total=recipe.steps, unit="step")
        done = start
        for index, batch in enumerate(bar, start):
            figures = recipe.step(batch, index)
            done = index + 1
            if done % config.log_every == 0 or done == recipe.steps:
                bar.set_postfix({name: f"{value:.4g}" for name, value in figures.items()})
                log({"step": done, "time": round(time.time(), 1), **figures})
            if done % config.sample_every == 0:
                recipe.sample(batch, out / f"sample_{done:06d}.png")
            if done % config.save_every == 0:
                _save(recipe, done, out)
            if stop():
                tqdm.write(f"Stopped after step {done}; continue with --resume.")
                break
    return _save(recipe, done, out)


def _save(recipe: Recipe, done: int, out: Path) -> Path:
    checkpoint.save(out / "state.pt", {"step": done, "recipe": recipe.state_dict()})
    return recipe.export(out / "model.safetensors", done)


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
    recipe.load_state_dict(state["recipe"])
    return state["step"]


def _batches(data: Dataset, recipe: Recipe, start: int, workers: int) -> DataLoader:
    order = range(start * recipe.batch, recipe.steps * recipe.batch)
    return DataLoader(
        data,
        batch_size=recipe.batch,
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


@contextmanager
def _log(out: Path, append: bool) -> Iterator:
    """Write one JSON object a line to log.jsonl."""
    with open(out / "log.jsonl", "a" if append else "w") as file:

        def write(figures: dict) -> None:
            file.write(json.dumps(figures) + "\n")
            file.flush()

        yield write
