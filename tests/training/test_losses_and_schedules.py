"""Losses, learning rates and averaged weights against values computed by hand."""

import math

import pytest
import torch
from torch import nn

from vsr_core.training.ema import EMA
from vsr_core.training.losses import feature_l1, pixel_l1, psnr
from vsr_core.training.schedules import cosine, halving

STUDENT, TEACHER = torch.tensor([[0.0, 0.5], [-0.5, 1.0]]), torch.tensor([[0.0, 0.0], [0.5, 0.5]])


@pytest.mark.parametrize("loss", [pixel_l1, feature_l1])
def test_l1_is_the_mean_absolute_difference(loss):
    assert loss(STUDENT, TEACHER).item() == pytest.approx((0 + 0.5 + 1 + 0.5) / 4)


@pytest.mark.parametrize("loss", [pixel_l1, feature_l1])
def test_l1_of_half_precision_is_computed_in_float32(loss):
    student = STUDENT.bfloat16().requires_grad_(True)
    value = loss(student, TEACHER)
    value.backward()
    assert value.dtype == torch.float32
    assert student.grad.abs().sum() > 0


def test_features_of_different_sizes_are_not_compared():
    with pytest.raises(ValueError, match=r"\(2, 2\).*\(2, 1\)"):
        feature_l1(STUDENT, TEACHER[:, :1])


def test_psnr_counts_from_the_full_range_of_2():
    assert psnr(torch.full((4,), 0.1), torch.zeros(4)).item() == pytest.approx(20 * math.log10(2 / 0.1), abs=1e-4)
    assert psnr(torch.full((4,), 7.0), torch.ones(4)).item() == pytest.approx(10 * math.log10(4 / 1e-10), abs=1e-3)


@pytest.mark.parametrize(("step", "rate"), [(0, 8.0), (99, 8.0), (100, 4.0), (199, 4.0), (200, 2.0), (350, 1.0)])
def test_a_halving_rate_halves_every_so_many_steps(step, rate):
    assert halving(step, base=8.0, every=100) == rate


@pytest.mark.parametrize(
    ("step", "rate"),
    [(0, 2.0), (1, 4.0), (3, 8.0), (4, 8.0), (6, 4 * (1 + math.sqrt(0.5))), (8, 4.0), (12, 0.0)],
)
def test_a_cosine_rate_rises_in_a_line_and_falls_to_zero(step, rate):
    assert cosine(step, base=8.0, warmup=4, steps=12) == pytest.approx(rate)


def test_averaged_weights_are_the_hand_computed_ones():
    module = nn.Linear(1, 1, bias=False)
    nn.init.constant_(module.weight, 1.0)
    ema = EMA(module, 0.15)
    nn.init.constant_(module.weight, 2.0)
    ema.update()
    assert ema.average["weight"].item() == pytest.approx(0.1 * 1.0 + 0.9 * 2.0)  # 1 / (1 + 9) < 0.15
    nn.init.constant_(module.weight, 4.0)
    ema.update()
    assert ema.average["weight"].item() == pytest.approx(0.15 * 1.9 + 0.85 * 4.0)  # 2 / (2 + 9) > 0.15


def test_averages_are_float32_and_no_part_of_the_module():
    module = nn.Linear(2, 2).bfloat16()
    ema = EMA(module, 0.9)
    assert {value.dtype for value in ema.average.values()} == {torch.float32}
    before = module.weight.clone()
    ema.average["weight"].zero_()
    assert torch.equal(module.weight, before)


def test_averages_continue_from_their_state():
    module = nn.Linear(2, 2)
    ema = EMA(module, 0.5)
    for _ in range(3):
        nn.init.normal_(module.weight)
        ema.update()
    again = EMA(module, 0.5)
    again.load_state_dict(ema.state_dict())
    nn.init.normal_(module.weight)
    ema.update()
    again.update()
    assert torch.equal(again.average["weight"], ema.average["weight"])
