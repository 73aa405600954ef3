"""AdcVSR's adversarial losses against values computed by hand from its equations, and the five kinds of clips."""

import math

import pytest
import torch

from vsr_core.errors import SettingError
from vsr_core.training.adc_vsr.kinds import arrange_kinds, source_frames, unlike_orders
from vsr_core.training.adc_vsr.losses import (
    KINDS,
    Verdict,
    adversarial,
    discrimination,
    frame_distance,
)

SHAPE = (1, 2, 3, 4, 4)


def softplus(value: float) -> float:
    return math.log(1 + math.exp(value))


def verdict(detail: list[float], consistency: list[float]) -> Verdict:
    """Return what heads of 3 and 1 channels say that answer with the same value everywhere."""
    return Verdict(
        torch.cat([torch.full(SHAPE, value) for value in detail]),
        torch.cat([torch.full((1, 2, 1, 4, 4), value) for value in consistency]),
    )


def test_the_student_pays_for_looking_fake_to_either_head():
    assert adversarial(verdict([0.0], [0.0])).item() == pytest.approx(2 * math.log(2))
    assert adversarial(verdict([2.0], [-1.0])).item() == pytest.approx(softplus(-2) + softplus(1))


def test_half_of_a_head_counts_half():
    detail = torch.cat([torch.full((1, 1, 3, 4, 4), 3.0), torch.full((1, 1, 3, 4, 4), -3.0)], dim=1)
    value = adversarial(Verdict(detail, torch.zeros(1, 2, 1, 4, 4)))
    assert value.item() == pytest.approx((softplus(-3) + softplus(3)) / 2 + math.log(2))


def test_the_labels_are_those_of_equation_5():
    assert {name: tuple(labels) for name, labels in KINDS.items()} == {
        "student": (-1, -1),
        "video": (0, 1),
        "shuffled video": (0, -1),
        "repeated image": (1, 1),
        "unrelated images": (1, -1),
    }


def test_the_discriminators_loss_is_equation_4():
    detail, consistency = [0.5, 9.0, -9.0, 2.0, -1.0], [-0.5, 1.5, 0.25, -2.0, 3.0]
    expected = (
        (softplus(0.5) + softplus(-0.5))  # the student: fake, fake
        + (math.log(2) + softplus(-1.5))  # a video: unlabelled, real
        + (math.log(2) + softplus(0.25))  # a shuffled one: unlabelled, fake
        + (softplus(-2.0) + softplus(2.0))  # a repeated image: real, real
        + (softplus(1.0) + softplus(3.0))  # unrelated images: real, fake
    )
    assert discrimination(verdict(detail, consistency)).item() == pytest.approx(expected, rel=1e-6)


def test_unlabelled_detail_teaches_nothing():
    kinds = verdict([0.3] * 5, [0.3] * 5)
    detail = kinds.detail.requires_grad_(True)
    discrimination(Verdict(detail, kinds.consistency)).backward()
    taught = detail.grad.flatten(1).abs().sum(1) > 0
    assert taught.tolist() == [True, False, False, True, True]


def test_losses_of_half_precision_are_computed_in_float32():
    said = Verdict(*(head.bfloat16() for head in verdict([1.0] * 5, [1.0] * 5)))
    assert adversarial(said).dtype == discrimination(said).dtype == torch.float32


def test_frames_are_compared_in_0_to_1():
    seen = []

    def distance(student, teacher):
        seen.append((student, teacher))
        return (student - teacher).abs().mean((1, 2, 3))

    student, teacher = torch.full((2, 3, 4, 4), 3.0), torch.full((2, 3, 4, 4), -0.5)
    assert frame_distance(distance, student, teacher).item() == pytest.approx(0.75)
    assert seen[0][0].shape == (2, 3, 4, 4)
    assert seen[0][0].max() == 1


def test_every_clip_is_shuffled_by_itself_and_never_left_as_it_was():
    orders = unlike_orders(3, seed=5, items=range(200))
    assert orders.sort(1).values.equal(torch.arange(3).expand(200, 3))
    assert not (orders == torch.arange(3)).all(1).any()
    assert len(orders.unique(dim=0)) == 5


def test_an_order_depends_on_seed_and_item_alone():
    orders = unlike_orders(7, seed=5, items=range(8))
    assert unlike_orders(7, seed=5, items=range(4, 8)).equal(orders[4:])
    assert not unlike_orders(7, seed=6, items=range(8)).equal(orders)


def test_a_single_frame_cannot_be_shuffled():
    with pytest.raises(SettingError, match="2 frames or more"):
        unlike_orders(1, seed=0, items=range(1))


def test_the_kinds_are_made_of_the_right_frames():
    """Frames are numbers: the student's from 100, video from 200, the images 300 and 301, the others from 400."""
    student, video, others = (torch.arange(first, first + 6.0).view(2, 3, 1, 1, 1) for first in (100, 200, 400))
    frames = source_frames(student, video, torch.tensor([300.0, 301.0]).view(2, 1, 1, 1, 1), others)
    kinds = frames[arrange_kinds(torch.tensor([[2, 0, 1], [1, 0, 2]]))].view(5, 2, 3).int().tolist()
    assert kinds == [
        [[100, 101, 102], [103, 104, 105]],
        [[200, 201, 202], [203, 204, 205]],
        [[202, 200, 201], [204, 203, 205]],
        [[300, 300, 300], [301, 301, 301]],
        [[400, 401, 402], [403, 404, 405]],
    ]
