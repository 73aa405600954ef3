"""Hard cuts are found to the frame; motion, fades and flashes are none."""

from pathlib import Path

import numpy as np
import pytest
import torch
from media import gratings
from training.clip_files import moving

from vsr_core.tiling.cuts import mark_cuts, shot_lengths
from vsr_core.video import read_frames

CITY = Path(__file__).parents[1] / "data" / "city_cut.mp4"
CITY_CUT = 14


def clip(frames: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2).float() / 255


def still(value: float, frames: int, seed: int = 0) -> torch.Tensor:
    """A textured picture around `value` with fresh sensor noise in every frame."""
    generator = torch.Generator().manual_seed(seed)
    picture = value + 0.1 * torch.randn(3, 36, 64, generator=generator)
    return (picture + 0.01 * torch.randn(frames, 3, 36, 64, generator=generator)).clamp(0, 1)


def shot_starts(frames: torch.Tensor) -> list[int]:
    return [index for index, (_, start) in enumerate(mark_cuts(frames)) if start]


@pytest.mark.parametrize("at", [1, 2, 5, 11])
def test_a_hard_cut_between_stills_is_found_exactly(at):
    frames = torch.cat([still(0.3, at), still(0.6, 12 - at, seed=1)])
    assert shot_starts(frames) == [0, at]


@pytest.mark.parametrize("at", [3, 6, 9])
def test_a_hard_cut_between_moving_shots_is_found_exactly(at):
    frames = torch.cat([clip(moving(at, 72, 128, speed=1)), clip(moving(12 - at, 72, 128, seed=1, speed=1)) ** 2])
    assert shot_starts(frames) == [0, at]


def test_three_short_shots_are_kept_apart():
    frames = torch.cat([still(0.2, 2), still(0.5, 2, seed=1), still(0.8, 3, seed=2)])
    assert shot_starts(frames) == [0, 2, 4]


def test_the_cut_of_a_real_clip_is_found_exactly():
    frames = torch.stack([frame.image for frame in read_frames(CITY)])
    assert shot_starts(frames) == [0, CITY_CUT]


@pytest.mark.parametrize("speed", [1, 4, 8, 16, 24])
def test_a_pan_of_any_speed_is_no_cut(speed):
    assert shot_starts(clip(moving(12, 72, 128, speed=speed))) == [0]


@pytest.mark.parametrize("seed", range(4))
def test_drifting_gratings_are_no_cut(seed):
    assert shot_starts(clip(gratings(12, 72, 128, seed))) == [0]


def test_a_still_that_bursts_into_a_fast_pan_is_no_cut():
    pan = clip(moving(8, 72, 128, speed=16))
    assert shot_starts(torch.cat([pan[:1].expand(6, -1, -1, -1), pan, pan[-1:].expand(6, -1, -1, -1)])) == [0]


def test_a_dissolve_is_no_cut():
    share = torch.linspace(0, 1, 16).view(-1, 1, 1, 1)
    assert shot_starts(torch.lerp(still(0.2, 16), still(0.8, 16, seed=1), share)) == [0]


def test_a_fade_to_black_is_no_cut():
    assert shot_starts(still(0.8, 12) * torch.linspace(1, 0, 12).view(-1, 1, 1, 1)) == [0]


def test_a_flash_of_one_frame_is_no_cut():
    frames = still(0.3, 12)
    frames[5] += 0.6
    assert shot_starts(frames) == [0]


def test_sensor_noise_is_no_cut():
    noise = torch.randn(12, 3, 36, 64, generator=torch.Generator().manual_seed(0))
    assert shot_starts((0.4 + 0.2 * noise).clamp(0, 1)) == [0]


def test_marking_passes_every_frame_on_unchanged():
    frames = still(0.5, 5)
    assert torch.equal(torch.stack([frame for frame, _ in mark_cuts(frames)]), frames)


def test_marking_nothing_gives_nothing():
    assert list(mark_cuts([])) == []


def test_shots_together_are_the_clip():
    frames = torch.cat([still(0.2, 4), still(0.8, 3, seed=1)])
    assert shot_lengths(frames, scene_cuts=True) == [4, 3]
    assert shot_lengths(frames, scene_cuts=False) == [7]
