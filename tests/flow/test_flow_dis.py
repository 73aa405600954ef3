import re

import pytest
import torch
from flow.motions import MOTIONS, inner, panning, photos, texture, textures
from torch import Tensor

from vsr_core.errors import ClipError
from vsr_core.flow import DisFlow, warp
from vsr_core.flow.dis import SHORTEST_SIDE

PRESETS = list(SHORTEST_SIDE)
END_POINT_ERROR = {"ultrafast": (0.2, 0.6), "fast": (0.2, 0.6), "medium": (0.06, 0.2)}
"""Largest mean end-point error in pixels over all motions: of the texture, and of a frame full of fine detail."""
WARPING_ERROR = {"ultrafast": (0.006, 0.06), "fast": (0.006, 0.06), "medium": (0.003, 0.035)}
"""Largest mean absolute error of the frame warped back, of the same two; with the true flow 0.0025 and 0.025."""
SOURCES = {"texture": textures, "photo": photos}
LONG_SIDES = (32, 40, 64, 90, 91, 128, 200, 256, 333, 640)


def cut(height: int, width: int, x: float = 0) -> Tensor:
    across, down = torch.arange(width).double() - x, torch.arange(height).double()
    return texture(across[None].expand(height, width), down[:, None].expand(height, width))


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("name", MOTIONS)
def test_a_known_motion_is_found_and_warped_back(preset: str, source: str, name: str):
    before, after = SOURCES[source](name)

    flow = DisFlow(preset)(before, after)

    index = list(SOURCES).index(source)
    assert inner((flow - MOTIONS[name]).norm(dim=1)).mean() < END_POINT_ERROR[preset][index]
    assert inner((warp(after, flow) - before).abs()).mean() < WARPING_ERROR[preset][index]


@pytest.mark.parametrize("preset", PRESETS)
def test_identical_frames_do_not_move(preset: str):
    _, frame = photos("a pan")

    assert DisFlow(preset)(frame, frame).abs().max() == 0


@pytest.mark.parametrize("preset", PRESETS)
def test_each_pair_has_its_own_flow(preset: str):
    clip = panning(4)

    flow = DisFlow(preset)(clip[:-1], clip[1:])

    assert flow.shape == (3, 2, 72, 96)
    assert flow.dtype == torch.float32
    torch.testing.assert_close(flow[1:2], DisFlow(preset)(clip[1:2], clip[2:3]), rtol=0, atol=0)


@pytest.mark.parametrize("preset", PRESETS)
def test_equal_pairs_of_small_frames_have_equal_flows(preset: str):
    clip = torch.cat([cut(40, 40), cut(40, 40, x=1)] * 2)

    flow = DisFlow(preset)(clip[::2], clip[1::2])

    assert torch.equal(flow[0], flow[1])


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("long", LONG_SIDES)
def test_frames_of_the_smallest_side_have_a_flow(preset: str, long: int):
    short = SHORTEST_SIDE[preset]

    for height, width in [(short, long), (long, short)]:
        flow = DisFlow(preset)(cut(height, width), cut(height, width, x=1))
        assert (flow[:, 0] - 1).abs().mean() < 0.3
        assert flow[:, 1].abs().mean() < 0.3


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("upright", [False, True])
def test_smaller_frames_are_refused(preset: str, upright: bool):
    least = SHORTEST_SIDE[preset]
    height, width = (200, least - 1) if upright else (least - 1, 200)
    frames = torch.rand(1, 3, height, width)

    with pytest.raises(ClipError, match=f"dis-{preset} needs .* {least}x{least} pixels, got {width}x{height}"):
        DisFlow(preset)(frames, frames)


def test_the_refusal_names_what_takes_the_frames():
    with pytest.raises(ClipError, match=re.escape("Choose dis-medium or raft, or enlarge the frames.")):
        DisFlow("fast")(torch.rand(1, 3, 20, 40), torch.rand(1, 3, 20, 40))
    with pytest.raises(ClipError, match=re.escape("Choose raft, or enlarge the frames.")):
        DisFlow("medium")(torch.rand(1, 3, 12, 40), torch.rand(1, 3, 12, 40))


@pytest.mark.parametrize("others", [torch.rand(1, 3, 40, 48), torch.rand(2, 3, 40, 40)])
def test_pairs_of_unequal_frames_are_refused(others: Tensor):
    with pytest.raises(ClipError, match="one size"):
        DisFlow()(torch.rand(1, 3, 40, 40), others)


def test_the_number_of_threads_does_not_change_the_flow():
    import cv2

    before, after = photos("all of it")
    threads, flows = cv2.getNumThreads(), []
    try:
        for count in (1, 3):
            cv2.setNumThreads(count)
            flows.append(DisFlow()(before, after))
    finally:
        cv2.setNumThreads(threads)

    assert torch.equal(*flows)


def test_values_outside_the_range_count_as_black_and_white():
    before, after = textures("a pan")
    before, after = 3 * before - 1, 3 * after - 1
    assert before.mean(1).min() < 0
    assert before.mean(1).max() > 1

    flow = DisFlow()(before, after)

    assert torch.equal(flow, DisFlow()(before.mean(1, keepdim=True).clamp(0, 1).expand_as(before), after))
