"""DUO-VSR's losses, by numbers worked out from the equations."""

import math

import pytest
import torch
from torch import tensor

from vsr_core.training.duo_vsr.losses import (
    advantage,
    dmd,
    dmd_gradient,
    feature_matching,
    flow_dpo,
    generator,
    guided,
    halving_target,
    hinge,
    squared_error,
)


def test_the_squared_error_is_a_mean():
    assert squared_error(tensor([1.0, 4.0]), tensor([0.0, 2.0])).item() == (1 + 4) / 2


def test_guidance_leads_away_from_the_unconditional_velocity():
    assert guided(tensor([3.0]), tensor([1.0]), 4.0).item() == 5 * 3 - 4 * 1
    assert guided(tensor([3.0]), tensor([1.0]), 0.0).item() == 3


@pytest.mark.parametrize("rate", [1.0, -2.0])
def test_two_teacher_steps_on_a_linear_field_are_one_known_student_step(rate):
    noisy, t, span = tensor([[8.0], [-1.0]]), tensor([1.0, 0.5]), 0.5
    velocity = halving_target(lambda z, at: rate * z, noisy, t, span)
    shrunk = (1 - rate * span / 2) ** 2
    assert torch.allclose(noisy - span * velocity, noisy * shrunk)
    assert torch.allclose(velocity, noisy * (rate - rate**2 * span / 4))


def test_a_teacher_that_depends_on_time_is_asked_at_both_halves():
    velocity = halving_target(lambda z, at: at[:, None].expand_as(z), tensor([[0.0]]), tensor([1.0]), 0.5)
    assert velocity.item() == pytest.approx((1.0 + 0.75) / 2)


def test_the_dmd_gradient_is_divided_by_each_items_own_distance():
    student, real, fake = tensor([[4.0, 0.0], [1.0, 1.0]]), tensor([[2.0, 0.0], [0.0, -1.0]]), tensor([[5.0, 1.0]] * 2)
    expected = [[(5 - 2) / 1.0, (1 - 0) / 1.0], [(5 - 0) / 1.5, (1 + 1) / 1.5]]
    assert torch.allclose(dmd_gradient(student, real, fake), tensor(expected))


def test_descending_the_dmd_loss_follows_its_gradient():
    student = tensor([[4.0, 0.0], [1.0, 1.0]], requires_grad=True)
    real, fake = tensor([[2.0, 0.0], [0.0, -1.0]]), tensor([[5.0, 1.0], [5.0, 1.0]])
    loss = dmd(student, real, fake)
    loss.backward()
    grad = dmd_gradient(student.detach(), real, fake)
    assert loss.item() == pytest.approx((9 + 1 + 25 / 2.25 + 4 / 2.25) / 4)
    assert torch.allclose(student.grad, 2 * grad / 4)


def test_the_dmd_gradient_stays_finite_where_the_student_is_what_the_real_score_expects():
    assert dmd_gradient(torch.ones(1, 2), torch.ones(1, 2), torch.ones(1, 2)).tolist() == [[0.0, 0.0]]


def test_the_discriminator_stops_at_the_hinge():
    assert hinge(tensor([0.5, 3.0]), tensor([-0.25, -2.0])).item() == (0.5 + 0) / 2 + (0.75 + 0) / 2


def test_the_generator_wants_high_scores():
    assert generator(tensor([0.5, -3.0])).item() == 1.25


def test_feature_matching_counts_each_layer_the_same():
    student = [tensor([1.0, 1.0]), tensor([2.0] * 6)]
    target = [tensor([0.0, 3.0]), tensor([0.0] * 6)]
    assert feature_matching(student, target).item() == ((1 + 4) / 2 + 4) / 2


def test_an_advantage_is_negative_where_the_student_is_nearer_than_the_reference():
    velocity, student, reference = tensor([[1.0, 1.0], [0.0, 0.0]]), tensor([[1.0, 0.0], [3.0, 1.0]]), torch.zeros(2, 2)
    assert advantage(velocity, student, reference).tolist() == [(0 + 1) / 2 - (1 + 1) / 2, (9 + 1) / 2]


def test_flow_dpo_is_the_logistic_loss_of_the_difference():
    better, worse, beta = tensor([-0.5, 1.0]), tensor([0.5, 1.0]), 4.0
    expected = (math.log(1 + math.exp(-2 * 1.0)) + math.log(2)) / 2
    assert flow_dpo(better, worse, beta).item() == pytest.approx(expected)
