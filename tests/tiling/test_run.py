"""Tiles are blended without a trace; lack of memory halves them."""

import pytest
import torch
from restorers import Watched

from vsr_core.errors import MemoryLimitError
from vsr_core.tiling.run import Box, Grid, run_tiles

CPU = torch.device("cpu")


def grid(height=48, width=80, tile=32, overlap=8, *, align=4, least=8, numerator=1, denominator=1) -> Grid:
    return Grid(height, width, tile, overlap, align, least, numerator, denominator)


def constant(box: Box) -> torch.Tensor:
    return torch.ones(2, 3, box.rows.length, box.columns.length)


def picture_of(grid: Grid) -> torch.Tensor:
    return torch.rand(2, 3, grid.height, grid.width, generator=torch.Generator().manual_seed(0))


class ShortOfMemory:
    """Fails as torch does for boxes of more than `side` pixels a side."""

    def __init__(self, side: int):
        self.side, self.tried = side, []

    def __call__(self, box: Box) -> torch.Tensor:
        largest = max(box.rows.length, box.columns.length)
        self.tried.append(largest)
        if largest > self.side:
            raise torch.OutOfMemoryError(f"CUDA out of memory. Tried to allocate {largest} GiB.")
        return constant(box)


@pytest.mark.parametrize("shape", [(48, 80), (32, 32), (36, 100), (8, 8), (128, 16)])
@pytest.mark.parametrize("overlap", [0, 4, 12, 28])
def test_a_blended_constant_stays_constant_up_to_the_last_pixel(shape, overlap):
    result, _ = run_tiles(constant, grid(*shape, overlap=overlap), Watched(), CPU)
    assert result.shape == (2, 3, *shape)
    assert torch.allclose(result, torch.ones(2, 3, *shape), atol=1e-6)


@pytest.mark.parametrize("overlap", [0, 4, 12])
def test_tiles_of_a_picture_make_the_picture(overlap):
    cut = grid(overlap=overlap)
    picture = picture_of(cut)
    result, _ = run_tiles(lambda box: box.cut(picture), cut, Watched(), CPU)
    assert torch.allclose(result, picture, atol=1e-6)


def test_results_of_another_size_land_in_their_place():
    larger, smaller = grid(numerator=4), grid(denominator=2)
    picture = picture_of(larger)
    result, _ = run_tiles(lambda box: box.cut(picture).repeat_interleave(4, 2).repeat_interleave(4, 3), larger,
                          Watched(), CPU)  # fmt: skip
    assert torch.allclose(result, picture.repeat_interleave(4, 2).repeat_interleave(4, 3), atol=1e-6)
    result, _ = run_tiles(lambda box: box.cut(picture)[..., ::2, ::2], smaller, Watched(), CPU)
    assert torch.allclose(result, picture[..., ::2, ::2], atol=1e-6)


def test_a_frame_that_is_one_tile_is_handed_on_untouched():
    picture = torch.rand(1, 3, 16, 16).half()
    result, tile = run_tiles(lambda box: picture, grid(16, 16), Watched(), CPU)
    assert result is picture
    assert tile == 32


def test_blending_half_precision_is_done_in_float32():
    result, _ = run_tiles(lambda box: constant(box).half(), grid(), Watched(), CPU)
    assert result.dtype == torch.float32


@pytest.mark.parametrize(("side", "fitted"), [(32, 32), (31, 16), (16, 16), (8, 8)])
def test_lack_of_memory_halves_the_tile_until_it_fits(side, fitted):
    compute = ShortOfMemory(side)
    result, tile = run_tiles(compute, grid(), Watched(), CPU)
    assert tile == fitted
    assert torch.allclose(result, torch.ones(2, 3, 48, 80), atol=1e-6)


def test_the_first_smaller_tile_is_half_the_frame_where_the_frame_was_one_tile():
    compute = ShortOfMemory(40)
    _, tile = run_tiles(compute, grid(tile=512), Watched(), CPU)
    assert tile == 40
    assert compute.tried[:2] == [80, 40]


def test_lack_of_memory_at_the_smallest_tile_says_what_to_do():
    compute = ShortOfMemory(7)
    with pytest.raises(MemoryLimitError, match=r"tiles of 8 pixels.*window.*input.*fp16.*CPU") as caught:
        run_tiles(compute, grid(), Watched(), CPU)
    assert isinstance(caught.value.__cause__, torch.OutOfMemoryError)
    assert sorted(set(compute.tried), reverse=True) == [32, 16, 8]


@pytest.mark.parametrize("error", [RuntimeError("shapes do not fit"), ValueError("7"), KeyboardInterrupt()])
def test_any_other_error_is_handed_on_after_one_try(error):
    tried = []

    def compute(box):
        tried.append(box)
        raise error

    with pytest.raises(type(error)) as caught:
        run_tiles(compute, grid(), Watched(), CPU)
    assert caught.value is error
    assert len(tried) == 1


def test_stopping_takes_effect_before_the_next_tile():
    computed = []

    def compute(box):
        computed.append(box)
        return constant(box)

    def stop_at_third(tiles):
        if tiles == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        run_tiles(compute, grid(), Watched(before_tile=stop_at_third), CPU)
    assert len(computed) == 2
