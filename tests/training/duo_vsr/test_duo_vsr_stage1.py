"""Stage I learns guidance, then halves its steps; the teacher is renewed when it should, also after a pause."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor
from training.duo_vsr.duo_runs import learned, same_frames
from training.runs import CPU, first_batch, moved, resumes_to_the_same, weights_before

from vsr_core.architectures.duo_vsr import PAPER
from vsr_core.training.contact_sheet import contact_sheet
from vsr_core.training.duo_vsr.stage1 import Stage1, build, dataset, halves, paper, small, student_steps, tiny


def stage(**changes) -> Stage1:
    return build(replace(tiny(), **changes), CPU)


@pytest.fixture(scope="module")
def batch() -> tuple[Tensor, Tensor]:
    return first_batch(dataset(tiny(), None))


def test_the_paper_halves_64_steps_to_one_every_500_steps():
    config = paper()
    first = config.guidance_steps
    renewed = [index for index in range(config.steps) if halves(index, config)]
    assert renewed == [first + 500 * number for number in range(6)]
    assert [student_steps(index, config) for index in renewed] == [32, 16, 8, 4, 2, 1]
    assert student_steps(first - 1, config) is None
    assert config.steps == first + 6 * 500 and student_steps(config.steps + 5_000, config) == 1
    assert config.network == PAPER


def test_the_small_run_ends_at_one_step_too():
    assert student_steps(small().steps - 1, small()) == 1


@pytest.mark.parametrize("index", [0, 4])
def test_the_loss_falls(batch, index):
    run = stage()
    losses = [run.step(batch, index)["loss"] for _ in range(12)]
    assert losses[-1] < 0.5 * losses[0]


def test_guidance_begins_at_the_distance_that_the_equation_says(batch):
    run = stage(guidance=2.0)
    asked = []
    run.teacher.register_forward_hook(lambda module, inputs, output: asked.append(output))
    loss = run.step(batch, 0)["loss"]
    conditional, unconditional = asked
    assert loss == pytest.approx((2.0 * (conditional - unconditional)).square().mean().item(), rel=0.02)


def test_the_teacher_sees_the_prompt_and_then_none_beside_the_same_latents(batch):
    run = stage()
    asked = []
    run.teacher.register_forward_hook(lambda module, inputs, output: asked.append(inputs))
    run.step(batch, 0)
    assert torch.equal(asked[0][3], run.base.network.prompt[None]) and not asked[1][3].any()
    assert all(torch.equal(one, other) for one, other in zip(asked[0][:3], asked[1][:3]))


def test_halving_asks_the_teacher_at_the_two_halves_of_a_student_step(batch):
    run = stage()
    asked = []
    run.teacher.register_forward_hook(lambda module, inputs, output: asked.append(inputs[1]))
    run.step(batch, 4)  # two steps of the student, four of the teacher
    assert set(asked[0].tolist()) <= {0.5, 1.0}
    assert torch.allclose(asked[1], asked[0] - 0.25)


def test_clips_are_learned_with_as_many_noises_and_times_as_asked_for(batch):
    run, asked = stage(draws=3), []
    run.student.network.register_forward_hook(lambda module, inputs, output: asked.append(inputs))
    run.step(batch, 0)
    [(noisy, t, lr, _)] = asked
    assert len(noisy) == len(set(t.tolist())) == 6
    assert torch.equal(lr[:2], lr[4:])


def test_gradients_reach_the_student_alone(batch):
    run = stage()
    others, teacher = weights_before(run.base.network.vae, run.teacher)
    prompt = run.base.network.prompt.clone()
    run.step(batch, 0)
    assert learned(run.student) == {name for name, _ in run.student.network.named_parameters()}
    assert moved(run.base.network.vae, others) == set() == moved(run.teacher, teacher)
    assert torch.equal(run.base.network.prompt, prompt)


def test_the_student_becomes_the_teacher_when_the_steps_are_halved(batch):
    run, renewed = stage(), []
    for index in range(8):
        (teacher,) = weights_before(run.teacher)
        (student,) = weights_before(run.student.network)
        run.step(batch, index)
        if moved(run.teacher, teacher):
            renewed.append(index)
            assert moved(run.teacher, student) == set()
    assert renewed == [3, 5]


@pytest.mark.parametrize("stop", [2, 3, 4])
def test_resuming_equals_not_stopping_across_a_renewed_teacher(tmp_path, stop):
    assert resumes_to_the_same(lambda: stage(steps=6), dataset(tiny(), None), tmp_path, stop=stop)


def test_recomputed_activations_give_the_same_steps(batch):
    kept, recomputed = stage(), stage(recompute=True)
    for index in range(5):
        assert recomputed.step(batch, index)["loss"] == pytest.approx(kept.step(batch, index)["loss"], rel=1e-3)


def test_the_exported_model_restores_as_the_student_does(tmp_path, batch):
    run = stage()
    run.step(batch, 0)
    assert same_frames(run, run.base, tmp_path / "model.safetensors")


def test_the_exported_model_says_what_it_was_distilled_to(batch):
    run = stage()
    assert "8 steps, down to 1" in run.model(done=8)[1].source
    assert "4 steps, down to 2" in run.model(done=4)[1].source
    assert "2 steps, down to many" in run.model(done=2)[1].source


def test_a_picture_shows_input_output_and_target(batch):
    assert contact_sheet(*stage().sample(batch)).shape == (3, 2 * 32, 3 * 32)
