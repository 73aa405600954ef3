"""Two clips in one: what is shown."""

import pytest
import torch
from restorers import random_clip
from torch import Tensor

from vsr_core.clip import resize_bicubic
from vsr_core.compare import VIEWS, compare
from vsr_core.compare.picture import GAP
from vsr_core.compare.view import STRIP_FRAMES, SWING
from vsr_core.errors import ClipError, SettingError
from vsr_core.runtime import StandaloneRuntime

HEIGHT, WIDTH = 24, 40
LINE = 2
"""Pixels that the divider covers on either side of it."""


def level(frames: int, value: float, height: int = HEIGHT, width: int = WIDTH) -> Tensor:
    return torch.full((frames, 3, height, width), value)


def shown(before: Tensor, after: Tensor, view: str = "divider", *, titles: bool = False, **rest) -> Tensor:
    return compare(before, after, view=view, titles=titles, runtime=StandaloneRuntime("cpu"), **rest).shown


def positions(pictures: Tensor) -> list[int]:
    """Return how many columns of each frame show before, which is 0.25; after is 0.75."""
    return [int(((row > 0.2) & (row < 0.3)).sum()) for row in pictures[:, 0, 0]]


def test_before_is_left_of_the_divider_and_after_on_its_right():
    before, after = random_clip(1, HEIGHT, WIDTH), random_clip(1, HEIGHT, WIDTH, seed=1)
    [picture] = shown(before, after)
    middle = WIDTH // 2
    assert torch.equal(picture[..., : middle - LINE], before[0, ..., : middle - LINE])
    assert torch.equal(picture[..., middle + LINE :], after[0, ..., middle + LINE :])
    assert (picture[..., middle - 1 : middle + 1] == 1).all()


def test_the_divider_swings_from_the_middle_to_both_edges_and_back():
    at = positions(shown(level(SWING, 0.25), level(SWING, 0.75)))
    assert abs(at[0] - WIDTH // 2) <= LINE
    assert max(at) >= WIDTH - LINE
    assert min(at) == 0
    assert abs(at[-1] - at[0]) <= 5  # it goes on from where it ends
    assert max(abs(a - b) for a, b in zip(at, at[1:])) <= 5


@pytest.mark.parametrize(("frames", "swings"), [(7, 1), (SWING, 1), (3 * SWING, 3), (3 * SWING + 20, 3)])
def test_the_divider_swings_a_whole_number_of_times(frames, swings):
    at = positions(shown(level(frames, 0.25), level(frames, 0.75)))
    right_of_middle = [position > WIDTH / 2 + LINE for position in at]
    assert sum(now and not before for before, now in zip([False, *right_of_middle], right_of_middle)) == swings


def test_side_by_side_keeps_both_clips_whole():
    before, after = random_clip(3, HEIGHT, WIDTH), random_clip(3, HEIGHT, WIDTH, seed=1)
    pictures = shown(before, after, "side by side")
    assert pictures.shape == (3, 3, HEIGHT, 2 * WIDTH + GAP)
    assert torch.equal(pictures[..., :WIDTH], before)
    assert torch.equal(pictures[..., WIDTH + GAP :], after)
    assert (pictures[..., WIDTH : WIDTH + GAP] == 1).all()


def test_the_strip_is_one_picture_of_frames_from_all_over_the_clip():
    before, after = random_clip(16, HEIGHT, WIDTH), random_clip(16, HEIGHT, WIDTH, seed=1)
    [picture] = shown(before, after, "strip")
    assert picture.shape == (3, 2 * HEIGHT + GAP, STRIP_FRAMES * (WIDTH + GAP) - GAP)
    for column, frame in enumerate((2, 6, 10, 14)):
        part = picture[..., column * (WIDTH + GAP) :][..., :WIDTH]
        assert torch.equal(part[:, :HEIGHT], before[frame])
        assert torch.equal(part[:, HEIGHT + GAP :], after[frame])


def test_the_strip_of_a_short_clip_shows_every_frame_once():
    before, after = random_clip(2, HEIGHT, WIDTH), random_clip(2, HEIGHT, WIDTH, seed=1)
    [picture] = shown(before, after, "strip")
    assert picture.shape[-1] == 2 * WIDTH + GAP
    assert torch.equal(picture[:, :HEIGHT, :WIDTH], before[0])
    assert torch.equal(picture[:, :HEIGHT, WIDTH + GAP :], before[1])


@pytest.mark.parametrize(("height", "width"), [(6, 10), (50, 61)])
def test_before_takes_the_size_of_after_by_bicubic_interpolation(height, width):
    before, after = random_clip(2, height, width), level(2, 0.5)
    pictures = shown(before, after, "side by side")
    assert torch.allclose(pictures[..., :WIDTH], resize_bicubic(before, HEIGHT, WIDTH))


@pytest.mark.parametrize("view", VIEWS)
def test_titles_are_written_into_the_corners_and_nowhere_else(view):
    before, after = random_clip(2, 120, 160), random_clip(2, 120, 160, seed=1)
    kept = before.clone(), after.clone()
    plain, titled = (shown(before, after, view, titles=titles) for titles in (False, True))
    changed = (plain != titled).any(1)
    assert changed.any()
    assert changed[:, 30:120].sum() == 0
    assert torch.equal(before, kept[0]) and torch.equal(after, kept[1])


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("size", [(1, 1), (3, 5), (16, 20)])
def test_any_size_and_a_single_frame_can_be_shown(view, size):
    [picture] = shown(level(1, 0.25, *size), level(1, 0.75, *size), view, titles=True)
    assert picture.isfinite().all()


def test_half_precision_frames_are_shown_as_well():
    before, after = random_clip(2, 6, 10).half(), random_clip(2, HEIGHT, WIDTH).half()
    pictures = shown(before, after, "side by side")
    assert pictures.dtype == torch.float32
    assert torch.equal(pictures[..., WIDTH + GAP :], after.float())


def test_different_frame_counts_are_refused_with_what_came():
    with pytest.raises(ClipError, match="before has 3, after has 2, reference has 4"):
        shown(level(3, 0.5), level(2, 0.5), reference=level(4, 0.5))
    with pytest.raises(ClipError, match="before has 3, after has 2"):
        shown(level(3, 0.5), level(2, 0.5))


def test_a_reference_of_another_size_is_refused_with_both_sizes():
    with pytest.raises(ClipError, match="reference is 20x12 and after is 40x24"):
        shown(level(2, 0.5), level(2, 0.5), reference=level(2, 0.5, 12, 20))


def test_an_unknown_view_is_refused_with_those_there_are():
    with pytest.raises(SettingError, match="'both'; choose one of divider, side by side, strip"):
        shown(level(2, 0.5), level(2, 0.5), "both")


def test_broken_frames_are_refused_by_number():
    before = level(3, 0.5)
    before[1, 0, 0, 0] = float("nan")
    with pytest.raises(ClipError, match=r"Frames \[1\]"):
        shown(before, level(3, 0.5))


def test_progress_is_reported_frame_by_frame_and_stopping_stops():
    reports = []

    class Stopped(Exception):
        pass

    class StopsAfterTwo(StandaloneRuntime):
        def check_stopped(self):
            if len(reports) == 2:
                raise Stopped

    runtime = StopsAfterTwo("cpu", progress=lambda *report: reports.append(report[:3]))
    with pytest.raises(Stopped):
        compare(level(5, 0.25), level(5, 0.75), runtime=runtime)
    assert reports == [("compare", 1, 5), ("compare", 2, 5)]
