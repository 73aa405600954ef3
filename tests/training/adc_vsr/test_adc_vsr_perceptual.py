"""What the stages of AdcVSR compare frames by."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from training.runs import first_batch

from vsr_core.errors import MissingPackageError
from vsr_core.training.adc_vsr import perceptual, stage1, stage2
from vsr_core.training.adc_vsr.perceptual import load_distance
from vsr_core.training.parts import same_parts
from vsr_core.training.processes import accelerator

CPU = torch.device("cpu")
ZEROS, ONES = torch.zeros(2, 3, 8, 8), torch.ones(2, 3, 8, 8)


class Constant(nn.Module):
    def __init__(self, value, shape):
        super().__init__()
        self.value, self.shape = value, shape

    def forward(self, student, teacher, normalize=False):
        assert normalize == (len(self.shape) == 4)  # LPIPS has to be told that frames are in 0..1
        return (student - teacher).square().mean().expand(self.shape) * self.value


@pytest.fixture
def networks(monkeypatch):
    monkeypatch.setattr(perceptual, "load_dists", lambda folder: Constant(2.0, (2,)))
    monkeypatch.setattr(perceptual, "load_network", lambda folder: Constant(3.0, (2, 1, 1, 1)))


@pytest.mark.parametrize(("weights", "expected"), [((0.25, 0.0), 0.5), ((0.0, 0.5), 1.5), ((0.25, 0.5), 2.0)])
def test_each_distance_has_its_weight(networks, weights, expected):
    dists, lpips = weights
    assert load_distance(CPU, dists=dists, lpips=lpips)(ZEROS, ONES).tolist() == [expected, expected]


@pytest.mark.parametrize(
    ("stage", "weights", "expected"),
    [
        (stage1, {"dists_weight": 3.0}, 6.0),
        (stage1, {"lpips_weight": 0.5}, 1.5),
        (stage2, {"dists_weight": 3.0, "lpips_weight": 0.5}, 7.5),
    ],
)
def test_the_weights_of_a_stage_reach_its_loss(networks, stage, weights, expected):
    run = stage.build(replace(stage.tiny(), **weights), accelerator("cpu"))
    assert run.distance(ZEROS, ONES).tolist() == [expected, expected]


@pytest.mark.parametrize("stage", [stage1, stage2])
def test_frames_are_compared_by_the_same_parts_where_a_run_says_so(stage):
    seen = []

    def distance(student, teacher):
        seen.append((student.detach(), teacher))
        return (student - teacher).abs().mean((1, 2, 3))

    run = stage.build(replace(stage.tiny(), distance_size=60, lpips_weight=0.0), accelerator("cpu"))
    run.distance = distance
    batch = first_batch(stage.dataset(stage.tiny(), None))
    run.step(batch, 0)
    (cut,) = same_parts(batch[1], size=60, seed=0, items=range(2))
    assert len(seen) == 1 and seen[0][0].shape == cut.shape
    assert (seen[0][1] - cut).abs().max() < 1e-6


def test_frames_are_not_compared_where_both_weigh_nothing():
    assert load_distance(CPU) is None


def test_absent_weights_are_named(monkeypatch, tmp_path):
    monkeypatch.setenv("VSR_METRIC_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(MissingPackageError):
        load_distance(CPU, dists=0.25)
