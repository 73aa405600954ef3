"""Exit codes: 0 when it worked, 1 when the run failed, 2 when the arguments make no sense."""

import subprocess
import sys
from pathlib import Path

import pytest

from vsr_core.cli.main import COMMANDS, main

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("arguments", [["--help"], *([name, "--help"] for name in COMMANDS)])
def test_help_is_no_failure(arguments, capsys):
    assert main(arguments) == 0
    assert "usage: python -m vsr_core" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["paint"], ["upscale"], ["upscale", "in.mp4"], ["inspect"], ["convert"]])
def test_bad_usage_is_2_and_says_so_on_stderr(arguments, capsys):
    assert main(arguments) == 2
    heard = capsys.readouterr()
    assert heard.out == ""
    assert "usage: python -m vsr_core" in heard.err


def test_a_setting_that_makes_no_sense_is_2(capsys):
    assert main(["upscale", "in.mp4", "out.mp4", "--window", "0"]) == 2
    assert capsys.readouterr().err.startswith("error: Tiling window is 0; use 1 or more")


def test_a_run_that_failed_is_1(tmp_path, capsys):
    assert main(["inspect", str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith("error: ")


def test_the_module_is_the_command_line(tmp_path):
    command = [sys.executable, "-m", "vsr_core", "inspect", str(tmp_path / "missing.safetensors")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("error: No model")
    assert len(done.stderr.splitlines()) == 1
