"""Several processes share a batch and learn what one process learns."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file

from vsr_core.errors import SettingError
from vsr_core.training.processes import items

RUN = ["vsr_core", "train", "adc_vsr/stage1", "--device", "cpu", "--precision", "fp32", "--workers", "0"]


def process(index: int, count: int) -> SimpleNamespace:
    return SimpleNamespace(process_index=index, num_processes=count)


def train(out: Path, steps: int, *words: str, processes: int) -> dict[str, torch.Tensor]:
    launcher = ["torch.distributed.run", "--standalone", f"--nproc-per-node={processes}", "-m"] if processes > 1 else []
    command = [sys.executable, "-m", *launcher, *RUN, "--steps", str(steps), "--out", str(out), *words]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return load_file(out / "model.safetensors")


def distance(weights: dict[str, torch.Tensor], others: dict[str, torch.Tensor]) -> float:
    """Return the mean difference. Not the largest: Adam makes a step even of a gradient that is all rounding."""
    return (
        torch.cat([(value.float() - others[name].float()).flatten() for name, value in weights.items()])
        .abs()
        .mean()
        .item()
    )


def last_loss(out: Path) -> float:
    return json.loads((out / "log.jsonl").read_text().splitlines()[-1])["loss"]


def test_processes_compute_every_item_of_a_batch_once():
    assert [list(items(process(index, 2), 6, 3)) for index in range(2)] == [[18, 19, 20], [21, 22, 23]]
    assert list(items(process(0, 1), 6, 3)) == [18, 19, 20, 21, 22, 23]


def test_a_batch_that_cannot_be_shared_evenly_is_refused():
    with pytest.raises(SettingError, match="A batch of 6 cannot be shared by 4 processes"):
        items(process(0, 4), 6, 0)


@pytest.mark.slow
def test_two_processes_learn_what_one_learns_and_a_run_may_change_between_them(tmp_path):
    one = train(tmp_path / "one", 4, processes=1)
    half_way = train(tmp_path / "two", 2, processes=2)
    train(tmp_path / "two", 3, "--resume", processes=2)
    two = train(tmp_path / "two", 4, "--resume", processes=1)
    assert last_loss(tmp_path / "two") == pytest.approx(last_loss(tmp_path / "one"), rel=1e-3)
    assert distance(two, one) < 0.1 * distance(half_way, one)
