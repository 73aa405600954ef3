"""Models and recipes on a device that is not the CPU: nothing is left behind, and results are the same."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from torch.utils import backend_registration

from vsr_core.training.recipes import RECIPES

pytestmark = pytest.mark.skipif(
    not hasattr(backend_registration, "_setup_privateuseone_for_python_backend"),
    reason="needs a torch in which a device can be written in Python",
)
MODELS = ("adc_vsr", "os_diffvsr", "duo_vsr")


@pytest.fixture(scope="module")
def results() -> dict[str, list]:
    """Of a process of its own: a device stays in a process."""
    command = [sys.executable, Path(__file__).with_name("cases.py")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("way", ["whole", "tiles"])
@pytest.mark.parametrize("model", MODELS)
def test_a_clip_on_the_cpu_is_restored_as_on_the_cpu(results, model, way):
    expected, found = results[f"{model}, {way}"]
    assert isinstance(found, list), found
    assert found == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_learns_there_as_on_the_cpu(results, recipe):
    expected, found = results[recipe]
    assert isinstance(found, list), found
    assert found == pytest.approx(expected, rel=1e-3, abs=1e-4)
