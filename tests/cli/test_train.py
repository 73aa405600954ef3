"""`train`: a tiny run, stopped and continued."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from vsr_core.cli.main import main
from vsr_core.load import load_restorer
from vsr_core.training.recipes import RECIPES

STAGE1 = "adc_vsr/stage1"
PRETRAIN = "os_diffvsr/pretrain"


def train(*words: object, recipe: str = STAGE1) -> int:
    return main(["train", recipe, "--config", "tiny", "--device", "cpu", "--workers", "0", *map(str, words)])


def interrupt_when(path: Path) -> threading.Thread:
    """Send Ctrl-C to this process as soon as `path` exists."""
    ours = signal.getsignal(signal.SIGINT)

    def wait():
        for _ in range(2000):
            if path.exists() and signal.getsignal(signal.SIGINT) is not ours:
                os.kill(os.getpid(), signal.SIGINT)
                return
            time.sleep(0.01)

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_tiny_run_needs_no_files_and_makes_a_model(tmp_path, capsys, recipe):
    assert train("--steps", 2, "--out", tmp_path / "run", recipe=recipe) == 0
    assert "wrote " in capsys.readouterr().out
    assert load_restorer(tmp_path / "run" / "model.safetensors").requirements.scale == 4


def test_a_run_that_was_stopped_and_continued_is_the_run_that_was_not(tmp_path, capsys):
    assert train("--steps", 20, "--out", tmp_path / "whole") == 0
    thread = interrupt_when(tmp_path / "stopped" / "state.pt")
    assert train("--steps", 20, "--out", tmp_path / "stopped", "--save-every", 1) == 0
    thread.join()
    assert "continue with --resume" in capsys.readouterr().out
    assert train("--steps", 20, "--out", tmp_path / "stopped", "--resume") == 0
    whole, stopped = (load_file(tmp_path / name / "model.safetensors") for name in ("whole", "stopped"))
    assert all(torch.equal(stopped[name], value) for name, value in whole.items())


def test_a_second_run_into_the_same_folder_is_2(tmp_path, capsys):
    assert train("--steps", 1, "--out", tmp_path) == 0
    assert train("--steps", 1, "--out", tmp_path) == 2
    assert "already holds a run" in capsys.readouterr().err


def test_there_must_be_something_to_continue(tmp_path, capsys):
    assert train("--resume", "--out", tmp_path) == 1
    assert "No training state" in capsys.readouterr().err


def test_configs_that_learn_from_real_media_say_so(tmp_path, capsys):
    assert train("--config", "small", "--out", tmp_path / "run") == 2
    assert "name their folders by --data" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_run_that_the_recipe_lacks_is_refused(tmp_path, capsys):
    assert train("--config", "paper", "--data", tmp_path, "--out", tmp_path / "run", recipe=PRETRAIN) == 2
    assert "no config 'paper'" in capsys.readouterr().err


def test_a_file_that_the_recipe_does_not_use_is_refused(tmp_path, capsys):
    assert train("--dinov2", tmp_path, "--out", tmp_path / "run", recipe=PRETRAIN) == 2
    assert "--dinov2" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["--steps", "0"],
        ["--save-every", "0"],
        ["--workers", "-1"],
        ["--steps", "many"],
        ["--config", "huge"],
        ["--device", "tpu"],
    ],
)
def test_words_that_make_no_sense_are_2_and_write_nothing(tmp_path, words):
    assert train("--out", tmp_path / "run", *words) == 2
    assert not (tmp_path / "run").exists()


def test_an_unknown_recipe_is_2():
    assert main(["train", "adc_vsr/stage9"]) == 2
