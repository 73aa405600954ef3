"""Multi-frame fusion is the paper's equations 10 to 14, and keeps to what lies between the three latents."""

from dataclasses import replace
from math import exp

import pytest
import torch
from architectures.os_diffvsr.alignments import moved, smooth
from torch import Tensor, nn

from vsr_core.architectures.os_diffvsr.temporal import (
    OWN,
    MultiFrameFusion,
    from_latents,
    from_pixels,
    fuse,
    trusted,
)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def trained(channels: int = 4, heads: int = 4, width: int = 4, scale: float = 1.0) -> MultiFrameFusion:
    """Return fusion whose weights are random."""
    fusion = MultiFrameFusion(channels=channels, heads=heads, width=width, scale=scale)
    for value in fusion.parameters():
        nn.init.normal_(value)
    return fusion


def ones(latents: Tensor) -> Tensor:
    return torch.ones_like(latents[:, OWN, :1])


def test_a_position_computed_by_hand_gives_the_same_weights():
    fusion = MultiFrameFusion(channels=1, heads=2, width=1, scale=1.0)
    q, k, z = (0.5, -1.0), (2.0, 1.0), (1.0, 2.0, -1.0)
    fusion.to_q.weight.data, fusion.to_k.weight.data = torch.tensor(q)[:, None], torch.tensor(k)[:, None]
    expected = [0.0, 0.0, 0.0]
    for wq, wk in zip(q, k):  # heads
        for row in z:  # one attended latent each
            raised = [exp(wq * row * wk * column) for column in z]  # d_k = 1
            for column, value in enumerate(raised):
                expected[column] += value / sum(raised) / 2 / 3
    weights = fusion(torch.tensor(z).reshape(1, 3, 1, 1, 1)).flatten()
    assert torch.allclose(weights, torch.tensor(expected), atol=1e-6)


def test_fusing_equals_the_equations_as_they_are_printed():
    fusion, latents, scale = trained(scale=0.18215), torch.randn(2, 3, 4, 5, 6), 0.18215
    mask = (torch.rand(2, 1, 5, 6) > 0.5).float()
    tokens = latents.permute(0, 3, 4, 1, 2)  # N H W 3 C
    attention = []
    for head in range(4):
        rows = slice(4 * head, 4 * head + 4)
        q, k = (tokens * scale @ project.weight[rows].T for project in (fusion.to_q, fusion.to_k))
        attention.append((q @ k.transpose(-2, -1) / 4**0.5).softmax(-1))
    attended = torch.stack(attention).mean(0) @ tokens
    mean = attended.mean(3).permute(0, 3, 1, 2)
    expected = mean * mask + (1 - mask) * latents[:, OWN]
    assert torch.allclose(fuse(latents, fusion(latents), mask), expected, atol=1e-5)


@pytest.mark.parametrize("make", [trained, lambda: MultiFrameFusion(channels=4, heads=4, width=4, scale=0.18215)])
def test_the_weights_are_those_of_an_average(make):
    weights = make()(torch.randn(3, 3, 4, 6, 7) * 5)
    assert weights.shape == (3, 3, 1, 6, 7)
    assert (weights >= 0).all()
    assert torch.allclose(weights.sum(1), torch.ones(()), atol=1e-6)


def test_the_result_lies_between_the_three_latents():
    latents = torch.randn(4, 3, 4, 8, 8) * 10
    fused = fuse(latents, trained()(latents), ones(latents))
    assert (fused <= latents.amax(1) + 1e-4).all()
    assert (fused >= latents.amin(1) - 1e-4).all()
    assert not torch.allclose(fused, latents[:, OWN], atol=0.1)


def test_identical_neighbours_change_nothing():
    latents = torch.randn(2, 1, 4, 5, 5).expand(-1, 3, -1, -1, -1)
    assert torch.equal(fuse(latents, trained()(latents), ones(latents)), latents[:, OWN])


def test_where_the_mask_is_0_the_own_latent_stays_exactly():
    latents = torch.randn(2, 3, 4, 5, 5)
    mask = ones(latents)
    mask[:, :, 2:] = 0
    fused = fuse(latents, trained()(latents), mask)
    assert torch.equal(fused[:, :, 2:], latents[:, OWN, :, 2:])
    assert not torch.allclose(fused[:, :, :2], latents[:, OWN, :, :2], atol=0.01)


def test_untrained_a_latent_that_is_alike_counts_more_than_one_that_is_not():
    own = torch.tensor([0.5, -0.5, 0.5, 0.5])
    latents = torch.stack([own, own, -own]).reshape(1, 3, 4, 1, 1)
    alike, itself, unlike = MultiFrameFusion(channels=4, heads=4, width=4, scale=1.0)(latents).flatten().tolist()
    assert alike == pytest.approx(itself)
    assert unlike < 0.9 * itself


def test_untrained_every_head_of_a_wide_latent_sees_its_own_channels():
    fusion = MultiFrameFusion(channels=8, heads=2, width=4, scale=1.0)
    assert torch.equal(fusion.to_q.weight, torch.eye(8))
    assert torch.equal(fusion.to_k.weight, torch.eye(8))


def test_fusion_learns_from_the_result():
    fusion, latents = trained(), torch.randn(1, 3, 4, 3, 3)
    fuse(latents, fusion(latents), ones(latents)).square().sum().backward()
    assert all(value.grad.abs().max() > 0 for value in fusion.parameters())


@pytest.mark.parametrize(
    ("error", "expected"),
    [(0.0, 1), (0.45, 1), (0.47, 0), (6.0, 0), (torch.inf, 0)],  # exp(-2 * 0.458) = 0.4
)
def test_the_mask_is_1_where_confidence_is_above_mu(error, expected):
    mask = trusted(moved(2, 8, 8, error=error), alpha=2.0, mu=0.4, height=4, width=4, stride=2)
    assert torch.equal(mask, torch.full((2, 1, 4, 4), float(expected)))


def test_confidence_of_exactly_mu_is_not_enough():
    assert trusted(moved(1, 2, 2), alpha=2.0, mu=1.0, height=1, width=1, stride=2).item() == 0


def test_a_cell_is_trusted_only_if_all_its_pixels_are():
    aligned = moved(1, 6, 6)
    aligned.error[0, 0, 3, 2] = 5.0
    mask = trusted(aligned, alpha=2.0, mu=0.4, height=3, width=3, stride=2)
    expected = torch.ones(3, 3)
    expected[1, 1] = 0
    assert torch.equal(mask[0, 0], expected)


def test_padding_continues_the_mask_of_the_edge():
    aligned = moved(1, 5, 6)
    aligned.error[0, 0, 4, 0] = torch.inf
    mask = trusted(aligned, alpha=2.0, mu=0.4, height=4, width=4, stride=2)
    expected = torch.ones(4, 4)
    expected[2:, 0] = 0
    assert torch.equal(mask[0, 0], expected)


def test_latents_of_warped_frames_are_sorted_by_frame():
    latents = torch.arange(6.0).reshape(6, 1, 1, 1)  # frames 0 and 1: previous, own, next
    assert from_pixels(latents).flatten(1).tolist() == [[0, 2, 4], [1, 3, 5]]


@pytest.mark.parametrize(("x", "y"), [(2.0, 0.0), (0.0, -4.0), (3.0, 1.0)])
def test_latents_are_warped_to_where_the_frame_has_them(x, y):
    latents = smooth(3, 4, 12, 14, x=x / 2, y=y / 2)  # motion in cells of 2 pixels
    triples = from_latents(latents, moved(3, 24, 28, x=x, y=y), stride=2)
    inside = (..., slice(3, -3), slice(3, -3))
    assert triples.shape == (3, 3, 4, 12, 14)
    for neighbour in range(3):
        assert torch.allclose(triples[:, neighbour][inside], latents[inside], atol=0.01)
    assert not torch.allclose(latents[0][inside], latents[1][inside], atol=0.02)


def test_a_frame_without_neighbours_stands_in_for_them_exactly():
    latents = torch.randn(1, 4, 3, 3)
    triple = from_latents(latents, moved(1, 6, 6), stride=2)
    assert torch.equal(triple, latents.unsqueeze(1).expand(-1, 3, -1, -1, -1))


def test_latents_of_some_frames_of_a_clip_are_found_by_their_numbers():
    latents, aligned = smooth(5, 4, 6, 6, x=0.5), moved(5, 12, 12, x=1.0)
    whole = from_latents(latents, aligned, stride=2)
    assert torch.equal(from_latents(latents, aligned[1:4], stride=2), whole[1:4])


def test_flow_ends_before_the_padding_and_goes_on_as_at_the_edge():
    latents, aligned = smooth(3, 2, 8, 8, x=1.0), moved(3, 13, 14, x=2.0)
    extended = moved(3, 16, 16, x=2.0)
    assert torch.equal(from_latents(latents, aligned, stride=2), from_latents(latents, extended, stride=2))
    still = replace(aligned, previous_flow=aligned.previous_flow * 0, next_flow=aligned.next_flow * 0)
    assert not torch.equal(from_latents(latents, aligned, stride=2), from_latents(latents, still, stride=2))
