import math
from dataclasses import fields

import pytest
import torch
from flow.motions import inner, panning
from torch import Tensor

from vsr_core.errors import ClipError
from vsr_core.flow import Aligned, DisFlow, align, join, visible, warp, warped_neighbours
from vsr_core.flow.align import PAIRS_AT_ONCE


def still(frames: Tensor, others: Tensor) -> Tensor:
    """Say that nothing moves."""
    return frames.new_zeros(len(frames), 2, *frames.shape[-2:])


def greys(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float32).reshape(-1, 1, 1, 1).expand(-1, 3, 4, 6)


def assert_same(one: Aligned, other: Aligned) -> None:
    for field in fields(Aligned):
        torch.testing.assert_close(getattr(one, field.name), getattr(other, field.name), rtol=0, atol=0)


def test_every_frame_has_the_neighbours_beside_it_and_the_ends_have_themselves():
    aligned = align(greys(0, 0, 0, 0), still)

    assert len(aligned) == 4
    assert aligned.frame.tolist() == [0, 1, 2, 3]
    assert aligned.previous.tolist() == [0, 0, 1, 2]
    assert aligned.next.tolist() == [1, 2, 3, 3]


def test_flow_leads_from_each_frame_to_its_neighbours():
    aligned = align(panning(4, x=1.5, y=-0.75), DisFlow("medium"))

    shift = torch.tensor([1.5, -0.75])
    for flow, expected in [(aligned.next_flow[:-1], shift), (aligned.previous_flow[1:], -shift)]:
        assert (inner(flow) - expected[:, None, None]).norm(dim=1).mean() < 0.1
    assert aligned.next_flow[-1].abs().max() == 0
    assert aligned.previous_flow[0].abs().max() == 0


def test_the_error_sums_the_channels_of_both_differences():
    aligned = align(greys(0.1, 0.3, 0.6), still)

    expected = torch.tensor([3 * 0.2, 3 * (0.2 + 0.3), 3 * 0.3]).reshape(3, 1, 1, 1).expand(3, 1, 4, 6)
    torch.testing.assert_close(aligned.error, expected)


def test_confidence_is_the_exponential_of_the_error():
    confidence = align(greys(0.1, 0.3, 0.6), still).confidence(2.0)

    assert confidence.shape == (3, 1, 4, 6)
    assert confidence[1, 0, 2, 3].item() == pytest.approx(math.exp(-3.0), rel=1e-5)  # 2 * 3 * (0.2 + 0.3)
    assert confidence[0, 0, 2, 3].item() == pytest.approx(math.exp(-1.2), rel=1e-5)  # 2 * 3 * 0.2


def test_frames_of_half_precision_are_compared_in_float32():
    clip = panning(3).half()

    aligned = align(clip, DisFlow())

    assert aligned.error.dtype == aligned.next_flow.dtype == torch.float32
    torch.testing.assert_close(aligned.error, align(clip.float(), DisFlow()).error, rtol=0, atol=0)


def test_identical_frames_fit_exactly():
    aligned = align(panning(1).expand(3, -1, -1, -1), DisFlow())

    assert aligned.next_flow.abs().max() == aligned.previous_flow.abs().max() == 0
    assert aligned.error.max() < 1e-4
    assert aligned.confidence(10).min() > 0.999


def test_a_panning_clip_fits_where_it_overlaps():
    aligned = align(panning(3), DisFlow("medium"))

    assert inner(aligned.error).mean() < 0.03
    assert inner(align(panning(3), still).error).mean() > 0.15


def test_a_clip_of_one_frame_has_itself_for_neighbours():
    clip = panning(1)

    aligned = align(clip, DisFlow(), occlusion=True)

    assert aligned.frame.tolist() == aligned.previous.tolist() == aligned.next.tolist() == [0]
    assert aligned.next_flow.shape == aligned.previous_flow.shape == (1, 2, 72, 96)
    assert aligned.error.shape == (1, 1, 72, 96)
    assert torch.equal(aligned.confidence(10), torch.ones(1, 1, 72, 96))
    assert all(torch.equal(warped, clip) for warped in warped_neighbours(clip, aligned))


def test_a_few_pairs_are_estimated_at_once_and_every_one_in_both_directions():
    sizes = []

    def counting(frames: Tensor, others: Tensor) -> Tensor:
        sizes.append(len(frames))
        return still(frames, others)

    align(greys(*[0.0] * 20), counting)

    assert max(sizes) == PAIRS_AT_ONCE
    assert sum(sizes) == 2 * 19


@pytest.fixture(scope="module")
def clip() -> Tensor:
    return panning(11, height=40, width=48)


@pytest.fixture(scope="module")
def aligned(clip: Tensor) -> Aligned:
    return align(clip, DisFlow())


def test_a_slice_shifted_into_the_whole_clip_is_its_part(clip: Tensor, aligned: Aligned):
    part = align(clip[4:10], DisFlow())

    assert_same(part[1:5].shifted(4), aligned[5:9])
    assert len(aligned[5:9]) == 4


def test_joined_parts_are_the_whole(aligned: Aligned):
    assert_same(join([aligned[:3], aligned[3:4], aligned[4:]]), aligned)


def test_neighbours_are_the_warped_frames_before_and_after(clip: Tensor, aligned: Aligned):
    previous, following = warped_neighbours(clip, aligned[2:4])

    torch.testing.assert_close(previous, warp(clip[1:3], aligned.previous_flow[2:4]), rtol=0, atol=0)
    torch.testing.assert_close(following, warp(clip[3:5], aligned.next_flow[2:4]), rtol=0, atol=0)
    assert inner((previous - clip[2:4]).abs()).mean() < 0.01
    assert inner((following - clip[2:4]).abs()).mean() < 0.01
    assert (clip[1:3] - clip[2:4]).abs().mean() > 0.04


def test_the_differences_of_the_warped_neighbours_are_the_error(clip: Tensor, aligned: Aligned):
    found = sum((warped - clip).abs().sum(1, keepdim=True) for warped in warped_neighbours(clip, aligned))

    torch.testing.assert_close(found, aligned.error)


def test_a_frame_without_a_neighbour_stands_in_for_it_unchanged(clip: Tensor, aligned: Aligned):
    previous, following = warped_neighbours(clip, aligned)

    assert torch.equal(previous[0], clip[0])
    assert torch.equal(following[-1], clip[-1])
    assert not torch.equal(previous[1], clip[1])


def test_joined_shots_have_no_neighbours_across_the_cut(clip: Tensor):
    shots = join([align(clip[:5], DisFlow()), align(clip[5:], DisFlow()).shifted(5)])

    assert shots.frame.tolist() == list(range(11))
    assert (shots.next[4], shots.previous[5]) == (4, 5)
    _, following = warped_neighbours(clip, shots)
    assert torch.equal(following[4], clip[4])


def square_clip() -> Tensor:
    """Return three frames (3, 3, 72, 96) of a light square that moves by 8 pixels over the resting texture."""
    background, square = panning(1), 1 - panning(1)[..., :24, :24]
    frames = background.repeat(3, 1, 1, 1)
    for t in range(3):
        frames[t, :, 24:48, 24 + 8 * t : 48 + 8 * t] = square[0]
    return frames


def test_pixels_that_a_neighbour_hides_are_not_trusted():
    clip, estimator = square_clip(), DisFlow("medium")

    aligned = align(clip, estimator, occlusion=True)

    hidden = aligned.error.isinf()
    assert hidden[0, 0, 24:48, 48:56].float().mean() > 0.8  # the square moves over them
    assert hidden[2, 0, 24:48, 32:40].float().mean() > 0.8  # it has just left them
    assert inner(hidden)[..., :8, :].float().mean() < 0.02  # far from it, and from the edges
    assert (aligned.confidence(0.0)[hidden] == 0).all()
    assert (aligned.confidence(0.0)[~hidden] == 1).all()


def test_a_pixel_is_hidden_where_either_neighbour_hides_it():
    clip, estimator = square_clip(), DisFlow("medium")
    plain, strict = align(clip, estimator), align(clip, estimator, occlusion=True)

    in_next = visible(plain.next_flow[:-1], plain.previous_flow[1:])
    in_previous = visible(plain.previous_flow[1:], plain.next_flow[:-1])

    assert torch.equal(strict.error[1].isinf(), ~(in_next[1] & in_previous[0]))
    assert torch.equal(strict.error[0].isinf(), ~in_next[0])
    assert torch.equal(strict.error[2].isinf(), ~in_previous[1])
    assert torch.equal(
        strict.error.isinf() | (strict.error == plain.error), torch.ones_like(in_next[:1]).expand(3, -1, -1, -1)
    )


@pytest.mark.parametrize("clip", [torch.rand(3, 40, 40), torch.zeros(2, 3, 40, 40, dtype=torch.uint8)])
def test_what_is_no_clip_is_refused(clip: Tensor):
    with pytest.raises(ClipError):
        align(clip, DisFlow())


def test_flow_of_another_size_is_refused():
    with pytest.raises(ClipError, match=r"gave \(1, 2, 4, 5\); expected \(N, 2, H, W\) = \(1, 2, 4, 6\)"):
        align(greys(0, 0), lambda frames, others: torch.zeros(1, 2, 4, 5))


def test_flow_that_is_not_finite_is_refused():
    with pytest.raises(ClipError, match="NaN or infinity"):
        align(greys(0, 0), lambda frames, others: torch.full((1, 2, 4, 6), math.nan))


def test_a_clip_too_small_for_the_estimator_is_refused():
    with pytest.raises(ClipError, match="at least 32x32 pixels"):
        align(torch.rand(2, 3, 20, 40), DisFlow())
