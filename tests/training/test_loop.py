"""The loop feeds every item once, keeps what is needed to go on, and stops when asked."""

import json
import os
import signal
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch.utils.data import Dataset
from training.runs import run as train

from vsr_core.checkpoints.metadata import Metadata
from vsr_core.errors import CheckpointError, SettingError
from vsr_core.training import checkpoint
from vsr_core.training.loop import LoopConfig

EVERY_STEP = LoopConfig(save_every=1, sample_every=3, log_every=2, workers=0)


@dataclass(frozen=True)
class Settings:
    batch: int
    steps: int


class Numbers(Dataset):
    """Item i is the pair i, i + 0.5. Sends Ctrl-C when item `interrupt` is asked for."""

    def __init__(self, interrupt: int | None = None):
        self.interrupt = interrupt

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        if index == self.interrupt:
            os.kill(os.getpid(), signal.SIGINT)
        return torch.tensor(float(index)), torch.tensor(index + 0.5)


class Counting:
    """Remembers every batch."""

    def __init__(self, steps: int = 7):
        self.config = Settings(batch=2, steps=steps)
        self.seen: list[list[float]] = []
        self.stateful = {"seen": self}

    def step(self, batch, index: int) -> dict[str, float]:
        assert index == len(self.seen)
        self.seen.append([*batch[0].tolist(), *batch[1].tolist()])
        return {"loss": 1 / (index + 1)}

    def state_dict(self) -> dict:
        return {"seen": self.seen}

    def load_state_dict(self, state: dict) -> None:
        self.seen = [list(batch) for batch in state["seen"]]

    def model(self, done: int) -> tuple[dict[str, torch.Tensor], Metadata]:
        return {"seen": torch.tensor(self.seen)}, Metadata(architecture="counting", config=str(done))

    def sample(self, batch) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        return torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 16, 16), torch.zeros(1, 3, 16, 16)


def model_of(out: Path) -> list[list[float]]:
    return load_file(out / "model.safetensors")["seen"].tolist()


def logged(out: Path) -> list[dict]:
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("workers", [0, 2])
def test_every_item_is_fed_once_and_in_order_beyond_a_nominal_epoch(tmp_path, workers):
    recipe = Counting()
    train(recipe, Numbers(), tmp_path / "run", config=LoopConfig(workers=workers))
    assert recipe.seen == [[2 * i, 2 * i + 1, 2 * i + 0.5, 2 * i + 1.5] for i in range(7)]
    assert model_of(tmp_path / "run") == recipe.seen


def test_figures_are_logged_as_one_json_object_a_line(tmp_path):
    train(Counting(), Numbers(), tmp_path, config=EVERY_STEP)
    assert [entry["step"] for entry in logged(tmp_path)] == [2, 4, 6, 7]
    assert [entry["loss"] for entry in logged(tmp_path)] == [1 / 2, 1 / 4, 1 / 6, 1 / 7]


def test_pictures_are_written_on_the_way(tmp_path):
    train(Counting(), Numbers(), tmp_path, config=EVERY_STEP)
    assert sorted(file.name for file in tmp_path.glob("*.png")) == ["sample_000003.png", "sample_000006.png"]


def test_a_second_run_into_the_same_folder_is_refused_and_harms_nothing(tmp_path):
    train(Counting(), Numbers(), tmp_path, config=EVERY_STEP)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir() if file.is_file()}
    with pytest.raises(SettingError, match="already holds a run. Continue it with --resume"):
        train(Counting(), Numbers(), tmp_path, config=EVERY_STEP)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir() if file.is_file()} == before


def test_ctrl_c_finishes_the_step_saves_and_goes_on_from_there(tmp_path):
    stopped = Counting()
    config = LoopConfig(save_every=100, workers=0, log_every=1)
    train(stopped, Numbers(interrupt=7), tmp_path, config=config)
    assert len(stopped.seen) == 4
    assert checkpoint.load(tmp_path / "state.pt")["step"] == 4
    assert model_of(tmp_path) == stopped.seen
    resumed, whole = Counting(), Counting()
    train(resumed, Numbers(), tmp_path, resume=True, config=config)
    train(whole, Numbers(), tmp_path / "whole", config=config)
    assert resumed.seen == whole.seen
    assert [entry["step"] for entry in logged(tmp_path)] == list(range(1, 8))


def test_ctrl_c_means_what_it_meant_before_once_training_is_over(tmp_path):
    before = signal.getsignal(signal.SIGINT)
    train(Counting(), Numbers(interrupt=3), tmp_path, config=EVERY_STEP)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_ctrl_c_stops_at_once(tmp_path):
    class Impatient(Numbers):
        def __getitem__(self, index):
            if index == 4:
                os.kill(os.getpid(), signal.SIGINT)
                os.kill(os.getpid(), signal.SIGINT)
            return super().__getitem__(index)

    recipe = Counting()
    with pytest.raises(KeyboardInterrupt):
        train(recipe, Impatient(), tmp_path, config=EVERY_STEP)
    assert len(recipe.seen) == 2


def test_going_on_with_a_finished_run_changes_nothing(tmp_path):
    train(Counting(), Numbers(), tmp_path, config=EVERY_STEP)
    recipe = Counting()
    train(recipe, Numbers(), tmp_path, resume=True, config=EVERY_STEP)
    assert len(model_of(tmp_path)) == 7


def test_there_must_be_something_to_go_on_with(tmp_path):
    with pytest.raises(CheckpointError, match="No training state at .*Start without --resume"):
        train(Counting(), Numbers(), tmp_path, resume=True)


def test_an_output_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "run").write_text("mine")
    with pytest.raises(SettingError, match="run"):
        train(Counting(), Numbers(), tmp_path / "run")
    assert (tmp_path / "run").read_text() == "mine"


@pytest.mark.parametrize("share", [0.0, 0.5, 0.9])
def test_a_damaged_training_state_is_refused(tmp_path, share):
    path = tmp_path / "state.pt"
    checkpoint.save(path, {"step": 3, "recipe": {"weights": torch.rand(100)}})
    assert [file.name for file in tmp_path.iterdir()] == ["state.pt"]
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(CheckpointError, match="not a readable training state"):
        checkpoint.load(path)
