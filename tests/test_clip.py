"""The frame contract: checks, padding, cropping, resizing."""

import pytest
import torch
from restorers import random_clip

from vsr_core.clip import check_clip, crop, pad_bottom_right, padding_to_multiple, resize_bicubic
from vsr_core.errors import ClipError


def test_a_good_clip_is_handed_back_itself():
    clip = random_clip(2)
    assert check_clip(clip) is clip


@pytest.mark.parametrize(
    ("clip", "message"),
    [
        (torch.zeros(3, 8, 8), r"\(T, 3, H, W\), got \(3, 8, 8\)"),
        (torch.zeros(2, 4, 8, 8), r"got \(2, 4, 8, 8\)"),
        (torch.zeros(0, 3, 8, 8), "at least one frame"),
        (torch.zeros(1, 3, 0, 8), "at least one pixel"),
        (torch.zeros(1, 3, 8, 8, dtype=torch.uint8), "uint8.*Divide 8-bit frames by 255"),
    ],
)
def test_a_clip_of_another_kind_is_refused(clip, message):
    with pytest.raises(ClipError, match=message):
        check_clip(clip)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_frames_that_are_not_finite_are_named(value):
    clip = random_clip(6)
    clip[1, 0, 0, 0] = clip[4, 2, 7, 7] = value
    with pytest.raises(ClipError, match=r"\[1, 4\]"):
        check_clip(clip)


def test_frames_are_numbered_from_where_the_clip_starts():
    clip = random_clip(3)
    clip[2] = float("nan")
    with pytest.raises(ClipError, match=r"\[42\]"):
        check_clip(clip, first=40)


@pytest.mark.parametrize(("length", "multiple", "padding"), [(16, 16, 0), (17, 16, 15), (1, 8, 7), (32, 1, 0)])
def test_the_padding_to_a_multiple_is_the_least_there_is(length, multiple, padding):
    assert padding_to_multiple(length, multiple) == padding


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 9), (5, 3), (16, 16), (17, 31)])
@pytest.mark.parametrize(("bottom", "right"), [(0, 0), (3, 0), (0, 7), (15, 15)])
def test_a_padded_clip_is_cropped_back_exactly(height, width, bottom, right):
    clip = random_clip(2, height, width)
    padded = pad_bottom_right(clip, bottom, right)
    assert padded.shape[-2:] == (height + bottom, width + right)
    assert torch.equal(crop(padded, height, width), clip)
    assert padded.min() >= clip.min()
    assert padded.max() <= clip.max()


def test_padding_mirrors_where_the_frame_is_large_enough():
    clip = random_clip(1, 8, 8)
    padded = pad_bottom_right(clip, 2, 3)
    assert torch.equal(padded[..., 8, :8], clip[..., 6, :])
    assert torch.equal(padded[..., :8, 10], clip[..., :, 4])


def test_padding_repeats_the_edge_where_it_is_not():
    padded = pad_bottom_right(random_clip(1, 2, 2), 6, 6)
    assert torch.equal(padded[..., 7, 7], padded[..., 1, 1])


def test_bicubic_keeps_a_constant_and_the_range():
    assert torch.allclose(resize_bicubic(torch.full((1, 3, 7, 5), 0.25), 28, 20), torch.tensor(0.25))
    resized = resize_bicubic(random_clip(1).round(), 64, 64)
    assert resized.min() == 0
    assert resized.max() == 1


def test_bicubic_shrinks_without_aliasing():
    noise = random_clip(1, 64, 64)
    assert resize_bicubic(noise, 16, 16).std() < 0.4 * noise.std()


def test_bicubic_computes_half_precision_in_float32():
    clip = random_clip(1).half()
    resized = resize_bicubic(clip, 40, 40)
    assert resized.dtype == torch.float16
    assert torch.equal(resized, resize_bicubic(clip.float(), 40, 40).half())
