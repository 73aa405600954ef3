"""Windows and tiles follow the user's settings, else the architecture's wishes and the free memory."""

import pytest
import torch
from restorers import Causal, Pointwise

from vsr_core.errors import SettingError
from vsr_core.tiling import Tiling
from vsr_core.tiling.plan import PIXELS_AT_ONCE, frames_at_once, latents_together, plan_grid, plan_windows

LARGE = 1 << 40


def planned(restorer, tiling=None, *, stage="step", height=128, width=96, free=LARGE):
    return plan_grid(
        restorer, stage, tiling or Tiling(), frames=5, height=height, width=width, dtype=torch.float32, free=free
    )


def test_windows_are_what_the_architecture_wants():
    assert plan_windows(Pointwise(window=25, overlap=5), Tiling()) == (25, 5)


def test_windows_are_what_the_user_wants():
    assert plan_windows(Pointwise(), Tiling(window=9, overlap=0)) == (9, 0)
    assert plan_windows(Pointwise(window=25), Tiling(overlap=24)) == (25, 24)


@pytest.mark.parametrize("window", range(1, 12))
def test_an_automatic_overlap_is_at_most_half_of_a_short_window(window):
    _, overlap = plan_windows(Pointwise(window=25, overlap=5), Tiling(window=window))
    assert overlap == min(5, window // 2)


def test_an_overlap_that_the_automatic_window_has_no_room_for_is_refused():
    with pytest.raises(SettingError, match="overlap is 25 frames.*window, which is 25"):
        plan_windows(Pointwise(window=25), Tiling(overlap=25))


def test_a_frame_that_fits_into_memory_is_one_tile():
    assert planned(Pointwise(bytes_per_pixel=1000)).tile >= 128


def test_no_tile_is_larger_than_the_network_handles_well():
    assert planned(Pointwise(max_tile=64)).tile == 64


def test_the_automatic_tile_shrinks_with_the_free_memory():
    restorer = Pointwise(bytes_per_pixel=1000, min_tile=8)
    tiles = [planned(restorer, free=free).tile for free in (LARGE, 60_000_000, 30_000_000, 5_000_000, 0)]
    assert tiles == sorted(tiles, reverse=True)
    assert len(set(tiles)) == len(tiles)
    assert tiles[-1] == 8
    for tile, free in zip(tiles[:-1], (LARGE, 60_000_000, 30_000_000, 5_000_000)):
        assert restorer.memory_bytes("step", 5, min(tile, 128), min(tile, 96), torch.float32) < free


@pytest.mark.parametrize("free", [LARGE, 20_000_000, 0])
def test_an_explicit_tile_is_honoured_whatever_the_memory(free):
    grid = planned(Pointwise(bytes_per_pixel=1000), Tiling(tile=40, tile_overlap=12), free=free)
    assert (grid.tile, grid.overlap) == (40, 12)


def test_tiles_are_rounded_up_to_what_the_network_takes():
    grid = planned(Pointwise(multiple=16), Tiling(tile=50, tile_overlap=9))
    assert (grid.tile, grid.overlap, grid.align) == (64, 16, 16)


@pytest.mark.parametrize("tile", [8, 12, 32, 64])
def test_an_automatic_overlap_is_at_most_half_of_a_small_tile(tile):
    grid = planned(Pointwise(tile_overlap=32), Tiling(tile=tile))
    assert grid.tile == tile
    assert grid.overlap == min(32, tile // 2 // 4 * 4)


def test_an_overlap_that_rounding_makes_as_large_as_the_tile_is_refused():
    with pytest.raises(SettingError, match=r"overlap comes to 16 pixels.*tile, which comes to 16.*multiples of 16"):
        planned(Pointwise(multiple=16), Tiling(tile=16, tile_overlap=9))


def test_a_grid_knows_where_its_results_lie():
    assert planned(Pointwise(), stage="step")[-2:] == (1, 2)
    assert planned(Pointwise(), stage="decode")[-2:] == (4, 1)


def test_more_memory_computes_more_frames_at_once_up_to_a_limit():
    restorer = Pointwise(bytes_per_pixel=1000)
    frame = 128 * 96 * 1000

    def counts(device, stage):
        grid, frees = planned(restorer, stage=stage), (0, frame * 3, frame * 4, LARGE)
        device = torch.device(device)
        return [frames_at_once(restorer, stage, grid, torch.float32, free=free, device=device) for free in frees]

    assert counts("cpu", "step") == [1, 2, 2, 2]
    assert counts("cpu", "decode") == [1, 1, 1, 1]
    assert counts("cuda", "decode") == [1, 2, 3, 21]
    assert PIXELS_AT_ONCE["step"] // (16 * 128 * 96) == 2


def test_an_automatic_tile_leaves_room_for_the_overlap_that_was_asked_for():
    grid = planned(Pointwise(bytes_per_pixel=1000), Tiling(tile_overlap=24), free=1)
    assert (grid.tile, grid.overlap, grid.least) == (48, 24, 48)


def together(restorer, tiling=None, *, total=7, free=LARGE):
    return latents_together(restorer, tiling or Tiling(), total, height=128, width=96, dtype=torch.float32, free=free)


def test_the_step_mixes_as_many_frames_as_fit_in_the_smallest_tiles():
    restorer = Pointwise(bytes_per_pixel=1000, min_tile=16)
    one = restorer.memory_bytes("step", 1, 16, 16, torch.float32) / 0.8
    assert [together(restorer, free=round(one * frames) + 1) for frames in (0, 1, 2.9, 3, 7, 100)] == [1, 1, 2, 3, 7, 7]
    assert together(restorer, Tiling(tile=32), free=round(one * 8) + 1) == 2
    assert together(restorer, Tiling(tile_overlap=16), free=round(one * 8) + 1) == 2


def test_a_latent_frame_takes_the_memory_of_all_its_frames():
    restorer = Causal(bytes_per_pixel=1000, min_tile=16)
    assert together(restorer, free=10 * restorer.memory_bytes("step", 1, 16, 16, torch.float32)) == 2
