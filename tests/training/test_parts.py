"""Parts of frames are cut at random places, the same of what is compared."""

import torch

from vsr_core.training.parts import random_parts, same_parts


def test_parts_are_cut_at_places_of_their_own():
    clips = torch.arange(64.0).view(8, 8).expand(50, 2, 1, 8, 8)
    parts = random_parts(clips, 5, seed=1, items=range(50))
    assert parts.shape == (50, 2, 1, 5, 5)
    assert parts[:, 0].equal(parts[:, 1])
    corners = {(int(corner) // 8, int(corner) % 8) for corner in parts[:, 0, 0, 0, 0]}
    assert {top for top, _ in corners} == {left for _, left in corners} == {0, 1, 2, 3}
    assert random_parts(clips[20:], 5, seed=1, items=range(20, 50)).equal(parts[20:])
    assert random_parts(clips, 0, seed=1, items=range(50)) is clips


def test_what_is_compared_is_cut_at_the_same_places():
    clips = torch.arange(64.0).view(8, 8).expand(4, 2, 1, 8, 8)
    parts, others = same_parts(clips, clips + 100, size=5, seed=1, items=range(4))
    assert parts.shape == (8, 1, 5, 5)
    assert others.equal(parts + 100)
    assert parts.equal(random_parts(clips, 5, seed=1, items=range(4)).flatten(0, 1))
