"""The adversarial losses have the values that the paper's equations give by hand."""

import math

import pytest
import torch

from vsr_core.training.os_diffvsr.losses import (
    discriminator_loss,
    focal_mse,
    generator_loss,
    similarity,
    warp_loss,
)


def features(*vectors: tuple[float, ...]) -> torch.Tensor:
    """Return (1, C, 1, patches) of a vector for each patch."""
    return torch.tensor(vectors).T[None, :, None]


def test_similarity_is_the_cosine_of_each_patchs_vectors():
    previous, current = features((3.0, 4.0), (1.0, 0.0), (2.0, 0.0)), features((4.0, 3.0), (0.0, 5.0), (-1.0, 0.0))
    assert similarity(previous, current).tolist() == [[pytest.approx([24 / 25, 0.0, -1.0])]]


@pytest.mark.parametrize("tau", [1.0, 100.0])
def test_the_discriminators_loss_is_equation_3(tau):
    real, fake = torch.tensor([[[0.9, 0.5]]]), torch.tensor([[[0.1, 0.7]]])
    expected = 0.0
    for real_value, fake_value in ((0.9, 0.1), (0.5, 0.7)):
        real_term, fake_term = math.exp(real_value / tau), math.exp(fake_value / tau)
        expected -= math.log(real_term / (real_term + fake_term)) / 2
    assert discriminator_loss(real, fake, tau=tau).item() == pytest.approx(expected, abs=1e-6)


def test_the_discriminators_loss_is_log_2_where_real_and_fake_look_the_same():
    same = torch.tensor([[[0.3]]])
    assert discriminator_loss(same, same, tau=100.0).item() == pytest.approx(math.log(2))


def test_the_generators_loss_is_equation_5():
    assert generator_loss(torch.tensor([[[0.9, 0.5], [-0.2, 0.0]]])).item() == pytest.approx(-0.3)


@pytest.mark.parametrize("gamma, weights", [(1.0, (0.25, 0.75)), (2.0, (0.0625, 0.5625)), (0.0, (1.0, 1.0))])
def test_the_focal_error_is_equation_6_with_the_weights_of_equation_7(gamma, weights):
    real = torch.zeros(1, 3, 2, 4)
    restored = torch.zeros(1, 3, 2, 4)
    restored[..., 0], restored[..., 2] = 0.5, 1.0  # a column in the left patch, one in the right
    fake = torch.tensor([[[0.5, -0.5]]])
    expected = (weights[0] * 2 * 0.25 + weights[1] * 2 * 1.0) / 8
    assert focal_mse(restored, real, fake, gamma=gamma).item() == pytest.approx(expected)


def test_the_focal_errors_score_says_where_to_look_and_learns_nothing():
    restored, fake = torch.ones(1, 3, 2, 2, requires_grad=True), torch.zeros(1, 1, 1, requires_grad=True)
    focal_mse(restored, torch.zeros(1, 3, 2, 2), fake, gamma=1.0).backward()
    assert restored.grad.abs().min() > 0
    assert fake.grad is None


def test_the_focal_errors_score_is_in_range_where_rounding_is_not():
    fake = torch.full((1, 1, 1), 1.0000001)
    assert focal_mse(torch.ones(1, 3, 2, 2), torch.zeros(1, 3, 2, 2), fake, gamma=0.5).item() == 0


def test_the_warp_loss_is_equation_15_with_the_mask_of_equation_16():
    real = torch.zeros(1, 3, 1, 2)
    warped, restored = real.clone(), real.clone()
    warped[0, :, 0, 1] = torch.tensor([0.2, 0.4, -0.6])  # in 0..1 they differ by 0.1 + 0.2 + 0.3
    restored[0, :, 0] = torch.tensor([[0.5, 0.0], [0.0, 0.0], [0.0, 0.0]])
    fits, moved = 1.0 * 0.25, math.exp(-2.0 * 0.6) * (0.04 + 0.16 + 0.36)
    assert warp_loss(restored, real, warped, alpha=2.0).item() == pytest.approx((fits + moved) / 6)


def test_the_warp_loss_pulls_the_restored_frame_alone():
    real, warped, restored = torch.rand(3, 1, 3, 4, 4)
    restored.requires_grad_(True)
    warp_loss(restored, real, warped, alpha=2.0).backward()
    assert restored.grad.abs().min() > 0
