"""What the tests of training runs share."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch.utils.data import Dataset, default_collate

from vsr_core.checkpoints.header import read_header
from vsr_core.checkpoints.write import write_model
from vsr_core.training.loop import LoopConfig, Recipe, train
from vsr_core.training.processes import accelerator

LOOP = LoopConfig(workers=0)
CPU = accelerator("cpu")


def first_batch(data: Dataset, count: int = 2) -> Any:
    """Return the first items of `data`, collated."""
    return default_collate([data[index] for index in range(count)])


def shortened(recipe: Recipe, steps: int) -> Recipe:
    """Let a run stop after `steps` steps and be the same otherwise."""
    recipe.config = replace(recipe.config, steps=steps)
    return recipe


def exported(recipe: Recipe, path: Path) -> Path:
    """Write the model as the loop does."""
    return write_model(path, *recipe.model(done=1), dtype=torch.float16)


def run(recipe: Recipe, data: Dataset, out: Path, *, resume: bool = False, config: LoopConfig = LOOP) -> Path:
    """Train on one process without workers."""
    return train(recipe, data, out, accelerator=CPU, resume=resume, config=config)


def weights_before(*networks: torch.nn.Module) -> list[dict[str, torch.Tensor]]:
    """Return copies of all weights."""
    return [{name: value.detach().clone() for name, value in network.named_parameters()} for network in networks]


def learning(network: torch.nn.Module) -> set[str]:
    """Return the names of the weights that require gradients."""
    return {name for name, value in network.named_parameters() if value.requires_grad}


def moved(network: torch.nn.Module, before: dict[str, torch.Tensor]) -> set[str]:
    """Return the names of the weights that changed."""
    return {name for name, value in network.named_parameters() if not torch.equal(value, before[name])}


def resumes_to_the_same(begin: Callable[[], Recipe], data: Dataset, out: Path, *, stop: int) -> bool:
    """Train in one go, into out/whole, and with a pause after `stop` steps, into out/resumed; compare the models."""
    whole = run(begin(), data, out / "whole")
    run(shortened(begin(), stop), data, out / "resumed")
    return same_model(run(begin(), data, out / "resumed", resume=True), whole)


def same_model(first: Path, second: Path) -> bool:
    """Compare tensors bit by bit, and metadata, whose order in the file is random."""
    tensors, others = load_file(first), load_file(second)
    same = tensors.keys() == others.keys() and all(torch.equal(tensors[name], others[name]) for name in tensors)
    return same and read_header(first).metadata == read_header(second).metadata
