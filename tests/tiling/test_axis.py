"""One axis is covered by spans whose weights sum to one."""

import itertools

import pytest
import torch

from vsr_core.tiling.axis import Span, ramp, split, weights

CASES = [
    (length * align, size * align, overlap * align, align)
    for length, size, overlap, align in itertools.product((1, 2, 3, 7, 8, 25, 64), (2, 5, 8), (0, 1, 4, 7), (1, 16))
    if overlap < size
]


@pytest.mark.parametrize(("length", "size", "overlap", "align"), CASES)
def test_spans_cover_the_axis_aligned_inside_it_with_at_least_the_asked_overlap(length, size, overlap, align):
    spans = split(length, size, overlap, align=align)
    assert spans[0].start == 0
    assert spans[-1].stop == length
    assert all(span.length == min(size, length) for span in spans)
    assert all(span.start % align == 0 for span in spans)
    for before, after in itertools.pairwise(spans):
        assert after.start > before.start
        assert before.stop - after.start >= overlap


@pytest.mark.parametrize(("length", "size", "overlap", "align"), CASES)
def test_no_span_could_be_left_out(length, size, overlap, align):
    spans = split(length, size, overlap, align=align)
    if len(spans) > 1:
        covered_by_one_less = size + (len(spans) - 2) * (size - overlap)
        assert covered_by_one_less < length


@pytest.mark.parametrize(("length", "size", "overlap", "align"), CASES)
def test_weights_are_positive_and_sum_to_one_over_every_cell(length, size, overlap, align):
    spans = split(length, size, overlap, align=align)
    total = torch.zeros(length)
    for span, weight in zip(spans, weights(spans), strict=True):
        assert weight.shape == (span.length,)
        assert (weight > 0).all()
        total[span.start : span.stop] += weight
    assert torch.allclose(total, torch.ones(length), atol=1e-6)


def test_nothing_fades_at_the_ends_of_the_axis():
    first, *_, last = weights(split(30, 12, 4))
    assert (first[:4] == 1).all()
    assert (last[-4:] == 1).all()


def test_a_span_fades_linearly_over_what_it_shares():
    first, second = weights([Span(0, 6), Span(2, 8)])
    assert torch.allclose(first[2:], torch.tensor([0.875, 0.625, 0.375, 0.125]))
    assert torch.allclose(second[:4], torch.tensor([0.125, 0.375, 0.625, 0.875]))


def test_a_ramp_and_its_mirror_image_sum_to_one():
    assert torch.allclose(ramp(5) + ramp(5).flip(0), torch.ones(5))


@pytest.mark.parametrize("overlap", [4, 5, -1])
def test_spans_that_cannot_move_on_are_refused(overlap):
    with pytest.raises(ValueError, match="cannot share"):
        split(10, 4, overlap)


def test_a_gap_between_spans_is_noticed():
    with pytest.raises(AssertionError):
        weights([Span(0, 4), Span(5, 9)])


def test_a_span_scales_to_a_finer_and_a_coarser_axis():
    assert Span(4, 12).scaled(4) == Span(16, 48)
    assert Span(4, 12).scaled(1, 2) == Span(2, 6)
