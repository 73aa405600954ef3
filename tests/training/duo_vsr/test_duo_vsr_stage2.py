"""Stage II alternates its updates as algorithm 1 does, and gradients go where it says, and nowhere else."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor
from training.duo_vsr.duo_runs import learned, same_frames
from training.runs import CPU, first_batch, moved, resumes_to_the_same, weights_before

from vsr_core.training.contact_sheet import contact_sheet
from vsr_core.training.duo_vsr.stage2 import Stage2, build, dataset, paper, tiny, updates_student

AUXILIARY, STUDENT = 0, 3
"""Numbers of steps that update the one and the other."""


def stage(**changes) -> Stage2:
    return build(replace(tiny(), **changes), CPU)


def learners(run: Stage2) -> tuple:
    return run.student, run.fake, run.heads


def names(learner) -> set[str]:
    return {name for name, _ in learner.network.named_parameters()}


@pytest.fixture(scope="module")
def batch() -> tuple[Tensor, Tensor]:
    return first_batch(dataset(tiny(), None))


def test_the_paper_updates_the_student_after_three_auxiliary_updates():
    config = paper()
    assert [updates_student(index, config) for index in range(8)] == 2 * [False, False, False, True]
    assert (config.dmd_weight, config.gan_weight, config.feature_weight) == (1.0, 0.1, 0.05)
    assert config.layers == (9, 18, 27) and config.network.layers == 30


def test_every_update_moves_its_own_networks_alone(batch):
    run = stage()
    for index in range(8):
        before = weights_before(*(learner.network for learner in learners(run)), run.real, run.begun.network.vae)
        run.step(batch, index)
        student, fake, heads = (bool(moved(each.network, was)) for each, was in zip(learners(run), before))
        assert (student, fake, heads) == ((True, False, False) if index in (3, 7) else (False, True, True))
        assert moved(run.real, before[3]) == set() == moved(run.begun.network.vae, before[4])


def test_gradients_of_an_auxiliary_update_reach_fake_score_and_heads_alone(batch):
    run = stage()
    with torch.no_grad():
        for head in run.heads.network.heads:
            head[-1].bias.fill_(1.5)  # inside the margin of both, those of the two halves of the hinge cancel out
    run.step(batch, AUXILIARY)
    assert learned(run.fake) == names(run.fake) and learned(run.heads) == names(run.heads)
    assert learned(run.student) == set()


@pytest.mark.parametrize("only", ["dmd_weight", "gan_weight", "feature_weight"])
def test_gradients_of_each_of_the_students_losses_reach_it_alone(batch, only):
    weights = {"dmd_weight": 0.0, "gan_weight": 0.0, "feature_weight": 0.0, only: 1.0}
    run = stage(**weights)
    with torch.no_grad():
        for value in run.fake.network.parameters():
            value.mul_(1.1)  # as both score models begin alike, DMD has no gradient at first
    run.step(batch, STUDENT)
    assert learned(run.student) == names(run.student)
    assert learned(run.fake) == set() == learned(run.heads)
    weights = [*run.fake.network.parameters(), *run.heads.network.parameters()]
    assert all(value.requires_grad and value.grad is None for value in weights)


def test_clips_are_learned_with_as_many_noises_and_times_as_asked_for(batch):
    run, asked = stage(draws=3), []
    run.fake.network.register_forward_hook(lambda module, inputs, output: asked.append(inputs))
    run.step(batch, 0)
    noisy, t, lr, _ = asked[-1]
    assert len(noisy) == len(set(t.tolist())) == 6
    assert torch.equal(lr[:2], lr[4:])


def test_the_discriminator_does_not_train_the_fake_score_model(batch):
    first, other = stage(), stage(head_rate=0.0)
    for run in (first, other):
        run.step(batch, AUXILIARY)
    (weights,) = weights_before(other.fake.network)
    assert moved(first.fake.network, weights) == set()


@pytest.mark.parametrize("loss", ["diffusion", "discriminator"])
def test_the_losses_of_auxiliary_updates_fall(batch, loss):
    run = stage(head_rate=1e-2)
    losses = [run.step(batch, AUXILIARY)[loss] for _ in range(15)]
    assert losses[-1] < 0.9 * losses[0]


def test_the_students_loss_falls_for_a_discriminator_that_stands_still(batch):
    run = stage(dmd_weight=0.0, gan_weight=0.0)
    for index in range(3):
        run.step(batch, index)
    losses = [run.step(batch, STUDENT)["loss"] for _ in range(12)]
    assert losses[-1] < 0.8 * losses[0]


def test_the_students_loss_is_the_weighted_sum(batch):
    found = stage(dmd_weight=2.0, gan_weight=3.0, feature_weight=5.0).step(batch, STUDENT)
    assert found["loss"] == pytest.approx(2 * found["dmd"] + 3 * found["gan"] + 5 * found["features"], rel=1e-3)


def test_dmd_is_nothing_while_both_score_models_are_the_same(batch):
    assert stage().step(batch, STUDENT)["dmd"] == 0
    run = stage()
    run.step(batch, AUXILIARY)
    assert run.step(batch, STUDENT)["dmd"] > 0


def test_dmd_leads_the_student_towards_the_real_score_model(batch):
    run = stage(gan_weight=0.0, feature_weight=0.0, learning_rate=1e-2)
    with torch.no_grad():
        run.fake.network.velocity.dit.proj_out.bias.sub_(1.0)  # expects all of z_0 to be t more than the real one does
    z_lr = torch.zeros(1, 4, 2, 4, 4)
    asked = (torch.randn(z_lr.shape), torch.ones(1), z_lr, run.text)
    before = run.student.network(*asked).mean()
    for _ in range(3):
        run.step(batch, STUDENT)
    assert run.student.network(*asked).mean() > before  # the larger v is, the smaller z_0 = eps - v


@pytest.mark.parametrize("stop", [2, 3, 4])
def test_resuming_equals_not_stopping_inside_a_cycle(tmp_path, stop):
    changes = {"steps": 8, "ema": 0.9}
    assert resumes_to_the_same(lambda: stage(**changes), dataset(tiny(), None), tmp_path, stop=stop)


def test_recomputed_activations_give_the_same_steps(batch):
    kept, recomputed = stage(), stage(recompute=True)
    for index in range(8):
        expected, found = kept.step(batch, index), recomputed.step(batch, index)
        assert found == pytest.approx(expected, rel=2e-2, abs=2e-3)


def test_the_exported_model_restores_as_the_student_does(tmp_path, batch):
    run = stage()
    run.step(batch, STUDENT)
    assert same_frames(run, run.begun, tmp_path / "model.safetensors")


def test_a_picture_shows_input_output_and_target(batch):
    assert contact_sheet(*stage().sample(batch)).shape == (3, 2 * 32, 3 * 32)
