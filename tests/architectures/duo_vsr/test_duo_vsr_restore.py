"""Clips of any length and size come back whole, cut into windows and tiles or not."""

from dataclasses import replace

import pytest
import torch
from architectures.duo_vsr.published import tiny_network
from restorers import Watched, random_clip
from tolerances import TOLERANCE
from torch import Tensor, nn

from vsr_core.architectures.duo_vsr import TINY
from vsr_core.architectures.duo_vsr.restorer import DuoVSRRestorer
from vsr_core.errors import ClipError
from vsr_core.restore import Settings, decode, restore, upscale
from vsr_core.stages import Shot, Stages
from vsr_core.tiling import Tiling


@pytest.fixture(scope="module")
def restorer() -> DuoVSRRestorer:
    """One that adds small corrections to bicubic enlargement, as trained weights do."""
    network = tiny_network(replace(TINY, bicubic_skip=True, latent_skip=True))
    nn.init.normal_(network.vae.decoder.conv_out.weight, std=0.01)
    return DuoVSRRestorer(network)


def restored(restorer: DuoVSRRestorer, clip: Tensor, **cuts) -> Tensor:
    settings = Settings(color="none", tiling=Tiling(scene_cuts=False, **cuts))
    return torch.cat(list(restore(clip, restorer, Watched(), settings, total=len(clip))))


@pytest.mark.parametrize("frames", [1, 2, 4, 5, 8, 9, 14])
def test_as_many_frames_come_out_as_went_in(restorer, frames):
    assert restored(restorer, random_clip(frames)).shape == (frames, 3, 64, 64)


@pytest.mark.parametrize("size", [(1, 1), (2, 19), (17, 16), (33, 21)])
def test_odd_sizes_and_those_under_one_tile_come_out_exactly_four_times_as_large(restorer, size):
    found = restored(restorer, random_clip(2, *size))
    assert found.shape == (2, 3, 4 * size[0], 4 * size[1])
    assert found.isfinite().all()


def test_no_frames_are_refused(restorer):
    with pytest.raises(ClipError, match="at least one frame"):
        upscale(random_clip(5)[:0], restorer, Watched(), Settings())


def test_windows_of_latents_decode_to_what_all_of_them_decode_to_but_for_rounding(restorer):
    clip, settings = random_clip(21), Settings(color="none")
    latent = upscale(clip, restorer, Watched(), settings)
    whole = decode(latent, clip, restorer, Watched(), settings)
    stages, shot, parts = Stages(restorer, Watched(), Tiling()), Shot(), []
    for cells, frames in zip(latent.split([1, 4, 1]), clip.split([1, 16, 4])):
        parts += stages.decode(cells, frames, shot)
    torch.testing.assert_close(torch.cat(parts).clamp(0, 1), whole, rtol=0, atol=TOLERANCE[torch.float32])


@pytest.mark.parametrize(("tile", "overlap"), [(32, 16), (24, 8)])
def test_feathered_tiles_equal_the_whole_within_a_bound(restorer, tile, overlap):
    clip = random_clip(5, 24, 56)
    whole, tiles = restored(restorer, clip), restored(restorer, clip, tile=tile, tile_overlap=overlap)
    bicubic = torch.cat(list(restore(clip, restorer, Watched(), Settings(color="none", strength=0.0))))
    change = (whole - bicubic).abs().mean()
    assert 0 < (tiles - whole).abs().mean() < 0.5 * change
    assert (tiles - whole).abs().max() < 0.1
