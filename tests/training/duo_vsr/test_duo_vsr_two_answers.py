"""Each stage does what it is for, in a world with two answers to every input (benchmarks/duo_two_answers.py)."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "benchmarks" / "duo_two_answers.py"


@pytest.fixture(scope="module")
def found() -> dict[tuple[str, int], tuple[float, float]]:
    """What a tenth of the benchmark's steps gives: (decided, first) after a stage, in so many steps of it."""
    output = subprocess.run([sys.executable, SCRIPT, "--quick"], capture_output=True, text=True, check=True).stdout
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in output.splitlines()[2:]]
    return {(stage, int(steps)): (float(decided), float(first)) for stage, steps, decided, first, _ in rows}


@pytest.mark.slow
def test_the_base_model_decides_in_many_steps_and_not_in_one(found):
    decided = {steps: found["base", steps][0] for steps in (1, 2, 4, 8, 64)}
    assert decided[1] < 0.1
    assert sorted(decided.values()) == list(decided.values())
    assert decided[64] > 3 * decided[1]


@pytest.mark.slow
def test_after_stage_1_one_step_decides_and_after_stage_2_still_without_taking_sides(found):
    for stage in ("stage I", "stage II"):
        decided, first = found[stage, 1]
        assert decided > 2 * found["base", 1][0]
        assert 0.4 < first < 0.6


@pytest.mark.slow
def test_stage_3_takes_the_preferred_side_the_more_the_smaller_beta_is(found):
    before, held, free = (found[stage, 1][1] for stage in ("stage II", "stage III, beta 50", "stage III, beta 5"))
    assert before < held < free
    assert free > before + 0.15
