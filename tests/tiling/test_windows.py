"""Windows over time hand out every frame once and never reach across a cut."""

import itertools
import weakref

import pytest
import torch

from vsr_core.tiling.windows import crossfade, windows

CUT_AT = 7


def numbered(frames: int) -> list[torch.Tensor]:
    """Frames whose value is a thousandth of their number: no cut between any two."""
    return [torch.full((3, 4, 4), number / 1000) for number in range(frames)]


def numbers(clip: torch.Tensor) -> list[int]:
    return [round(frame.mean().item() * 1000) for frame in clip]


def two_shots(frames: int) -> list[torch.Tensor]:
    return [frame + 0.8 * (number >= CUT_AT) for number, frame in enumerate(numbered(frames))]


@pytest.mark.parametrize(("size", "overlap"), [(1, 0), (2, 0), (2, 1), (5, 0), (5, 1), (5, 4), (8, 4), (8, 7)])
def test_every_frame_is_the_final_one_of_exactly_one_window(size, overlap):
    for frames in range(1, 41):
        found = []
        for window in windows(numbered(frames), size, overlap, scene_cuts=False):
            found += numbers(window.clip)[: len(window.clip) - window.tail]
        assert found == list(range(frames))


@pytest.mark.parametrize("scene_cuts", [False, True])
def test_the_tail_of_a_window_is_the_head_of_the_next(scene_cuts):
    for frames in range(1, 30):
        made = list(windows(two_shots(frames), 5, 2, scene_cuts=scene_cuts))
        assert made[0].head == made[-1].tail == 0
        for before, after in itertools.pairwise(made):
            assert before.tail == after.head
            assert torch.equal(before.clip[len(before.clip) - before.tail :], after.clip[: after.head])


def test_all_windows_are_full_but_the_last_of_a_shot():
    lengths = [len(window.clip) for window in windows(numbered(12), 5, 2, scene_cuts=False)]
    assert lengths == [5, 5, 5, 3]


@pytest.mark.parametrize("frames", range(CUT_AT + 1, 20))
def test_no_window_reaches_across_a_cut(frames):
    made = list(windows(two_shots(frames), 5, 2, scene_cuts=True))
    for window in made:
        assert (window.clip > 0.5).all() or (window.clip < 0.5).all()
    first_of_second = next(window for window in made if window.clip.min() > 0.5)
    assert first_of_second.head == 0
    assert sum(len(window.clip) - window.tail for window in made) == frames


def test_only_the_first_window_of_a_shot_starts_it():
    starts = [window.starts_shot for window in windows(two_shots(17), 5, 0, scene_cuts=True)]
    assert starts == [True, False, True, False]


def test_no_window_is_cut_where_scene_cuts_are_off():
    lengths = [len(window.clip) for window in windows(two_shots(10), 5, 0, scene_cuts=False)]
    assert lengths == [5, 5]


@pytest.mark.parametrize("scene_cuts", [False, True])
def test_no_more_frames_are_held_than_a_window_and_two(scene_cuts):
    alive, most = weakref.WeakSet(), 0

    def counted():
        nonlocal most
        for number in range(60):
            frame = torch.full((3, 4, 4), number / 1000)
            alive.add(frame)
            most = max(most, len(alive))
            yield frame

    for _ in windows(counted(), 6, 2, scene_cuts=scene_cuts):
        pass
    assert most <= 6 + 2


def test_frames_are_read_only_when_a_window_needs_them():
    read = []
    stream = (read.append(number) or frame for number, frame in enumerate(numbered(100)))
    next(iter(windows(stream, 5, 2, scene_cuts=True)))
    assert len(read) <= 5 + 2


def test_a_crossfade_lies_between_both_and_moves_from_one_to_the_other():
    before, after = torch.rand(2, 4, 3, 5, 5)
    faded = crossfade(before, after)
    assert (faded >= torch.minimum(before, after) - 1e-6).all()
    assert (faded <= torch.maximum(before, after) + 1e-6).all()
    share = (faded - before) / (after - before)
    assert torch.allclose(share.flatten(1).median(1).values, torch.tensor([0.125, 0.375, 0.625, 0.875]), atol=1e-3)


def test_crossfading_equal_clips_changes_nothing():
    clip = torch.rand(3, 3, 4, 4)
    assert torch.equal(crossfade(clip, clip), clip)
