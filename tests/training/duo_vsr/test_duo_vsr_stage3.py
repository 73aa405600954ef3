"""Stage III learns to prefer the better of two restorations, held to the model it began as."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor
from training.duo_vsr.duo_runs import learned, same_frames
from training.runs import CPU, first_batch, moved, resumes_to_the_same, weights_before

from vsr_core.training.contact_sheet import contact_sheet
from vsr_core.training.duo_vsr.stage3 import Stage3, build, dataset, paper, tiny
from vsr_core.training.duo_vsr.velocity import one_step


def stage(**changes) -> Stage3:
    return build(replace(tiny(), **changes), CPU)


@pytest.fixture(scope="module")
def batch() -> dict[str, Tensor]:
    return first_batch(dataset(tiny(), None))


def test_the_paper_makes_2000_pairs_of_five_candidates_and_trains_1000_steps():
    config = paper()
    assert (config.candidates, config.pairs, config.steps) == (5, 2_000, 1_000)
    assert config.ranks == ("lpips", "musiq", "dover")


def test_a_student_that_is_the_reference_has_no_preference_yet(batch):
    assert stage().step(batch, 0)["loss"] == pytest.approx(math.log(2), abs=1e-4)


def test_the_loss_falls_and_the_student_comes_to_prefer_the_better(batch):
    run = stage()
    figures = [run.step(batch, 0) for _ in range(10)]
    assert figures[-1]["loss"] < 0.5 * figures[0]["loss"]
    assert figures[-1]["preferred"] == 1


def test_the_students_one_step_moves_from_the_worse_towards_the_better(batch):
    run = stage()
    noise = torch.randn(batch["better"].shape)

    def nearer() -> Tensor:
        restored = one_step(run.student.network, noise, batch["z_lr"], run.text)
        return ((restored - batch["worse"]) ** 2 - (restored - batch["better"]) ** 2).mean()

    with torch.no_grad():
        before = nearer()
        for index in range(8):
            with torch.enable_grad():
                run.step(batch, index)
        assert nearer() > before


def test_both_of_a_pair_are_seen_with_the_same_noise_at_the_only_time_there_is(batch):
    run = stage()
    asked = []
    run.reference.register_forward_hook(lambda module, inputs, output: asked.append(inputs))
    run.step(batch, 0)
    noisy, t, lr, _ = asked[0]
    assert t.tolist() == [1.0] * 4
    assert torch.equal(noisy[:2], noisy[2:]) and not torch.equal(noisy[0], noisy[1])
    assert torch.equal(lr[:2], batch["z_lr"]) and torch.equal(lr[2:], batch["z_lr"])


def test_gradients_reach_the_student_alone(batch):
    run = stage()
    reference, vae = weights_before(run.reference, run.begun.network.vae)
    run.step(batch, 0)
    assert learned(run.student) == {name for name, _ in run.student.network.named_parameters()}
    assert moved(run.reference, reference) == set() == moved(run.begun.network.vae, vae)


def test_resuming_equals_not_stopping(tmp_path):
    changes = {"steps": 4, "ema": 0.9}
    assert resumes_to_the_same(lambda: stage(**changes), dataset(tiny(), None), tmp_path, stop=2)


def test_the_exported_model_restores_as_the_student_does(tmp_path, batch):
    run = stage()
    run.step(batch, 0)
    assert same_frames(run, run.begun, tmp_path / "model.safetensors")


def test_a_picture_shows_input_output_and_what_is_preferred(batch):
    assert contact_sheet(*stage().sample(batch)).shape == (3, 2 * 32, 3 * 32)
