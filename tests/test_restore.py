"""Clips of any length and size are restored to exactly as many frames of exactly four times the size."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from restorers import (
    Causal,
    NeighbourMean,
    Pointwise,
    Seeded,
    TemporalMean,
    Watched,
    enlarged,
    random_clip,
    tiny_fusing_restorer,
    tiny_restorer,
    trained_restorer,
)
from tolerances import TOLERANCE

from vsr_core.architectures.adc_vsr import TINY
from vsr_core.clip import resize_bicubic
from vsr_core.color import MODES
from vsr_core.contract import ALIGNMENTS, STAGES, FusionSettings
from vsr_core.errors import ClipError, MemoryLimitError, SettingError, VSRError
from vsr_core.flow import estimator
from vsr_core.load import cast
from vsr_core.restore import Settings, align_clip, decode, fuse, restore, upscale, upscale_fused
from vsr_core.tiling import Tiling
from vsr_core.video import read_frames

CITY = Path(__file__).parent / "data" / "city_cut.mp4"
CITY_CUT = 14
TILED_DIFFERS_BY = (0.15, 0.01)
"""Largest and mean difference of a pixel between tiled and untiled: norms and attention see a tile, not the frame."""


def settings(*, color=None, seed=0, strength=1.0, **tiling) -> Settings:
    return Settings(tiling=Tiling(**tiling), color=color, seed=seed, strength=strength)


def run(clip, restorer, chosen=None, runtime=None) -> torch.Tensor:
    """Restore the frames of `clip` as a stream."""
    return torch.cat(list(restore(iter(clip), restorer, runtime or Watched(), chosen or settings(), total=len(clip))))


def natural_clip(frames: int, height: int, width: int) -> torch.Tensor:
    """Smooth texture that drifts by a pixel a frame, (T, 3, H, W)."""
    noise = random_clip(1, height // 4 + 2, (width + frames) // 4 + 3)
    wide = resize_bicubic(noise, 4 * noise.shape[-2], 4 * noise.shape[-1])[..., :height, :]
    return torch.cat([wide[..., t : t + width] for t in range(frames)])


def two_shots(first: int = 7, second: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    return 0.3 * random_clip(1).expand(first, -1, -1, -1), 0.7 + 0.3 * random_clip(1, seed=1).expand(second, -1, -1, -1)


class TestSizes:
    @pytest.mark.parametrize("frames", range(1, 41))
    def test_as_many_frames_come_out_as_went_in(self, frames):
        clip = random_clip(frames)
        result = run(clip, Pointwise(), settings(window=5, overlap=2, scene_cuts=False))
        assert torch.equal(result, enlarged(clip))

    @pytest.mark.parametrize("frames", [1, 2, 4, 5, 6, 7, 40])
    def test_the_network_restores_any_number_of_frames(self, frames):
        result = run(random_clip(frames), tiny_restorer(), settings(window=5, overlap=2, scene_cuts=False))
        assert result.shape == (frames, 3, 64, 64)

    @pytest.mark.parametrize("size", [(16, 16), (17, 16), (16, 31), (33, 21), (50, 66), (1, 1), (2, 19)])
    def test_frames_come_out_four_times_as_large_and_in_place(self, size):
        clip = random_clip(2, *size)
        assert torch.equal(run(clip, Pointwise(multiple=16)), enlarged(clip))

    @pytest.mark.parametrize("size", [(16, 16), (17, 31), (5, 19)])
    def test_the_network_restores_any_size(self, size):
        result = run(random_clip(2, *size), tiny_restorer())
        assert result.shape == (2, 3, 4 * size[0], 4 * size[1])

    def test_no_frames_give_no_frames(self):
        assert list(restore([], Pointwise(), Watched(), settings())) == []

    def test_frames_come_out_while_later_ones_are_not_read_yet(self):
        read = []
        stream = (read.append(frame) or frame for frame in random_clip(100))
        next(restore(stream, Pointwise(), Watched(), settings(window=5, overlap=2)))
        assert len(read) <= 7


class TestWindows:
    @pytest.mark.parametrize(("window", "overlap"), [(1, 0), (5, 0), (5, 2), (5, 4), (24, 8), (100, 20)])
    def test_a_long_clip_in_windows_is_the_clip_in_one(self, window, overlap):
        clip = random_clip(60)
        result = run(clip, Pointwise(), settings(window=window, overlap=overlap, scene_cuts=False))
        assert torch.allclose(result, enlarged(clip), atol=1e-6)

    def test_a_long_clip_in_windows_is_close_to_the_clip_in_one(self):
        clip, restorer = natural_clip(60, 16, 16), trained_restorer()
        whole = run(clip, restorer, settings(window=60, scene_cuts=False))
        windowed = run(clip, restorer, settings(window=24, overlap=8, scene_cuts=False))
        assert 0 < (windowed - whole).abs().max() < 0.03

    def test_the_network_sees_windows_and_not_single_frames(self):
        clip = natural_clip(5, 16, 16)
        averaged = run(clip, TemporalMean(window=5))
        assert torch.allclose(averaged, enlarged(clip.mean(0, keepdim=True)).expand_as(averaged), atol=1e-6)

    def test_windows_are_faded_into_each_other(self):
        clip = torch.linspace(0.2, 0.8, 8).view(-1, 1, 1, 1).expand(-1, 3, 16, 16)
        averaged = run(clip, TemporalMean(), settings(window=5, overlap=2, scene_cuts=False))[:, 0, 0, 0]
        first, second = clip[:5].mean(), clip[3:].mean()
        expected = [first] * 3 + [torch.lerp(first, second, share) for share in (0.25, 0.75)] + [second] * 3
        assert torch.allclose(averaged, torch.stack(expected), atol=1e-5)


class TestTiles:
    @pytest.mark.parametrize(("tile", "overlap"), [(8, 0), (16, 4), (20, 12), (32, 8)])
    @pytest.mark.parametrize("size", [(50, 66), (33, 16)])
    def test_tiled_equals_untiled_where_every_pixel_stands_alone(self, tile, overlap, size):
        clip = random_clip(3, *size)
        result = run(clip, Pointwise(), settings(tile=tile, tile_overlap=overlap))
        assert torch.allclose(result, enlarged(clip), atol=1e-6)

    def test_the_networks_tiles_agree_with_the_whole_within_the_stated_bound(self):
        clip, restorer = natural_clip(3, 64, 80), trained_restorer()
        whole = run(clip, restorer)
        tiled = run(clip, restorer, settings(tile=48, tile_overlap=16))
        difference = (tiled - whole).abs()
        assert 0 < difference.max() < TILED_DIFFERS_BY[0]
        assert difference.mean() < TILED_DIFFERS_BY[1]

    @pytest.mark.parametrize("cuts", [{}, {"tile": 16, "tile_overlap": 8}, {"window": 3, "overlap": 1}])
    @pytest.mark.parametrize("color", MODES)
    def test_white_stays_white_to_the_last_pixel(self, cuts, color):
        white = torch.ones(7, 3, 35, 41)
        result = run(white, Pointwise(), settings(color=color, **cuts))
        assert result.shape == (7, 3, 140, 164)
        assert result.min() > 1 - 1e-3

    @pytest.mark.parametrize("cuts", [{}, {"tile": 16, "tile_overlap": 8}, {"window": 3, "overlap": 1}])
    def test_the_networks_white_has_no_darker_border(self, cuts):
        result = run(torch.ones(5, 3, 35, 41), tiny_restorer(), settings(color="adain", **cuts))
        assert result.min() > 0.99

    def test_little_memory_gives_the_same_picture_in_more_tiles(self):
        clip = random_clip(5, 48, 48)
        plenty, little = Watched(), Watched(free=5_000_000)
        restorer = Pointwise(bytes_per_pixel=1000)
        assert torch.allclose(run(clip, restorer, runtime=plenty), run(clip, restorer, runtime=little), atol=1e-6)
        assert little.tiles > plenty.tiles


class ShortOfMemory(Pointwise):
    """Runs out of memory on tiles of more than `side` input pixels a side, in both stages."""

    def __init__(self, side: int, **needs):
        super().__init__(**needs)
        self.side, self.failures = side, {"step": 0, "decode": 0}

    def step(self, latent, *, noise=None, text=None):
        self._check("step", max(latent.shape[-2:]) * 2)
        return super().step(latent)

    def decode(self, latent, clip, carry=None):
        self._check("decode", max(clip.shape[-2:]))
        return super().decode(latent, clip, carry)

    def _check(self, stage, side):
        if side > self.side:
            self.failures[stage] += 1
            raise torch.OutOfMemoryError("CUDA out of memory.")


class TestLackOfMemory:
    def test_running_out_of_memory_halves_the_tiles_and_gives_the_same_picture(self):
        clip = random_clip(3, 64, 64)
        assert torch.allclose(run(clip, ShortOfMemory(20)), enlarged(clip), atol=1e-6)

    @pytest.mark.parametrize("window", [5, 40])
    def test_a_tile_that_was_too_large_once_is_not_tried_again(self, window):
        restorer = ShortOfMemory(32, min_tile=8)
        run(random_clip(40, 64, 64), restorer, settings(window=window, overlap=0, scene_cuts=False))
        assert restorer.failures == {"step": 1, "decode": 1}

    def test_a_frame_that_fits_in_no_way_fails_with_advice(self):
        with pytest.raises(MemoryLimitError, match="even with tiles of 8 pixels"):
            run(random_clip(1, 64, 64), ShortOfMemory(4))


class TestBatchesInLittleMemory:
    @pytest.mark.parametrize("stage", ["encode", "step", "decode"])
    def test_fewer_frames_at_once_come_before_smaller_tiles(self, stage):
        restorer, taken = NeighbourMean(min_tile=8), []
        compute = getattr(restorer, stage)

        def short(frames, *arguments, **options):
            taken.append(frames.shape)
            if len(frames) > 1:
                raise torch.OutOfMemoryError("CUDA out of memory.")
            return compute(frames, *arguments, **options)

        setattr(restorer, stage, short)
        clip = natural_clip(9, 16, 16)
        assert torch.equal(run(clip, restorer), run(clip, NeighbourMean(min_tile=8)))
        assert len({size[-2:] for size in taken}) == 1
        most = taken[0][0]
        assert [size[0] for size in taken[:2]] == [most, most // 2]
        assert taken[-1][0] == 1

    def test_a_shot_that_carries_starts_over_with_fewer_frames_at_once(self):
        class Short(Causal):
            def encode(self, clip, carry=None):
                result = super().encode(clip, carry)
                if len(clip) > 4:
                    raise torch.OutOfMemoryError("CUDA out of memory.")
                return result

        clip = random_clip(22)
        assert torch.allclose(run(clip, Short(min_tile=16)), enlarged(clip), atol=1e-5)


class ShortOfFrames(TemporalMean):
    """Runs out of memory where the step takes more than `most` frames together."""

    def __init__(self, most: int, **needs):
        super().__init__(**needs)
        self.most, self.taken = most, []

    def step(self, latent, *, noise=None, text=None):
        self.taken.append(len(latent))
        if len(latent) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return super().step(latent)


class TestWindowsInLittleMemory:
    """Frames 16x16, so that one tile is the smallest."""

    def test_frames_that_fit_together_are_taken_together(self):
        restorer = ShortOfFrames(100, bytes_per_pixel=1000, min_tile=16, window=9)
        free = round(restorer.memory_bytes("step", 4, 16, 16, torch.float32) / 0.8) + 1
        clip = natural_clip(9, 16, 16)
        result = run(clip, restorer, runtime=Watched(free=free))
        assert restorer.taken == [4, 4, 4, 4]
        assert torch.allclose(result[0], enlarged(clip[:4].mean(0, keepdim=True))[0], atol=1e-6)

    def test_running_out_of_memory_halves_the_window_and_it_stays_so(self):
        restorer = ShortOfFrames(3, min_tile=16, window=9, overlap=2)
        result = run(natural_clip(16, 16, 16), restorer)
        assert restorer.taken[:3] == [9, 5, 3]
        assert set(restorer.taken[2:]) == {3}
        assert result.shape == (16, 3, 64, 64)

    @pytest.mark.parametrize("most", range(1, 9))
    def test_shorter_windows_leave_no_seam(self, most):
        class Short(ShortOfFrames):
            def step(self, latent, *, noise=None, text=None):
                super().step(latent)
                return latent

        clip = random_clip(30)
        assert torch.allclose(run(clip, Short(most, window=9, min_tile=16)), enlarged(clip), atol=1e-6)

    def test_noise_stays_with_its_frame(self):
        def noisy(free):
            return run(random_clip(9), Seeded(bytes_per_pixel=1000, window=9, min_tile=16), runtime=Watched(free=free))

        assert torch.allclose(noisy(1), noisy(1 << 40), atol=1e-6)

    def test_latent_frames_are_shared_out_whole(self):
        class Short(Causal):
            def step(self, latent, *, noise=None, text=None):
                if len(latent) > 2:
                    raise torch.OutOfMemoryError("CUDA out of memory.")
                return super().step(latent)

        clip = random_clip(22)
        assert torch.allclose(run(clip, Short(window=17, min_tile=16)), enlarged(clip), atol=1e-5)

    def test_a_window_that_the_user_chose_stays(self):
        restorer = ShortOfFrames(3, min_tile=16)
        with pytest.raises(MemoryLimitError, match="shorter window"):
            run(random_clip(9), restorer, settings(window=9))
        assert set(restorer.taken) == {9}

    def test_a_single_frame_that_does_not_fit_fails_with_advice(self):
        with pytest.raises(MemoryLimitError, match="even with tiles of 16 pixels"):
            run(random_clip(9), ShortOfFrames(0, min_tile=16))


class TestCuts:
    @pytest.mark.parametrize("make", [TemporalMean, tiny_restorer])
    def test_a_shot_is_the_same_whatever_follows_or_precedes_it(self, make):
        first, second = two_shots()
        both = run(torch.cat([first, second]), make(), settings(window=5, overlap=2, color="adain"))
        for shot, found in ((first, both[: len(first)]), (second, both[len(first) :])):
            alone = run(shot, make(), settings(window=5, overlap=2, color="adain"))
            assert torch.allclose(found, alone, atol=1e-6)

    def test_shots_mix_where_scene_cuts_are_switched_off(self):
        first, second = two_shots()
        mixed = run(torch.cat([first, second]), TemporalMean(), settings(window=13, scene_cuts=False))
        assert not torch.allclose(mixed[0], enlarged(first)[0], atol=0.05)

    def test_latents_are_kept_apart_too(self):
        first, second = two_shots()
        restorer, chosen = TemporalMean(), settings(window=5, overlap=2)
        both = upscale(torch.cat([first, second]), restorer, Watched(), chosen)
        assert torch.equal(both[: len(first)], upscale(first, restorer, Watched(), chosen))


class TestSame:
    @pytest.mark.parametrize("cuts", [{}, {"tile": 16, "tile_overlap": 8, "window": 3, "overlap": 1}])
    def test_the_same_seed_gives_the_same_bytes(self, cuts):
        clip = random_clip(5, 20, 28)
        first, again, other = (run(clip, Seeded(), settings(seed=seed, **cuts)) for seed in (7, 7, 8))
        assert torch.equal(first, again)
        assert not torch.equal(first, other)

    def test_the_network_gives_the_same_bytes_twice(self):
        clip, restorer = random_clip(5), tiny_restorer()
        assert torch.equal(run(clip, restorer), run(clip, restorer))

    @pytest.mark.parametrize("color", MODES)
    @pytest.mark.parametrize(("window", "overlap"), [(25, 5), (5, 2), (4, 0), (1, 0)])
    def test_restoring_is_upscaling_and_decoding(self, color, window, overlap):
        clip, restorer = torch.cat(two_shots()), tiny_restorer()
        chosen = settings(window=window, overlap=overlap, color=color)
        in_two = decode(upscale(clip, restorer, Watched(), chosen), clip, restorer, Watched(), chosen)
        assert torch.allclose(run(clip, restorer, chosen), in_two, atol=1e-3)

    def test_the_clip_that_came_in_is_not_changed(self):
        clip = random_clip(12)
        before = clip.clone()
        run(clip, Pointwise(), settings(window=5, overlap=2))
        assert torch.equal(clip, before)


class TestStrength:
    def test_none_of_it_is_bicubic(self):
        clip = random_clip(3, 17, 18)
        result = run(clip, tiny_restorer(), settings(strength=0.0))
        assert torch.allclose(result, resize_bicubic(clip, 68, 72), atol=1e-6)

    def test_half_of_it_lies_between_bicubic_and_all_of_it(self):
        clip = random_clip(3)
        all_of_it = run(clip, Pointwise())
        half = run(clip, Pointwise(), settings(strength=0.5))
        assert torch.allclose(half, (all_of_it + resize_bicubic(clip, 64, 64)) / 2, atol=1e-6)

    @pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan")])
    def test_a_strength_out_of_range_is_refused(self, strength):
        with pytest.raises(SettingError, match="Strength is"):
            Settings(strength=strength)

    def test_an_unknown_color_is_refused(self):
        with pytest.raises(SettingError, match="'sepia'"):
            Settings(color="sepia")


class TestRuntime:
    @pytest.mark.parametrize("last", range(6))
    def test_stopping_takes_effect_at_the_next_tile(self, last):
        def stop(tiles):
            if tiles == last:
                raise InterruptedError

        runtime = Watched(before_tile=stop)
        with pytest.raises(InterruptedError):
            run(random_clip(9, 24, 24), Pointwise(), settings(tile=16, window=5, overlap=2), runtime)
        assert runtime.tiles == last

    @pytest.mark.parametrize("restorer", [tiny_restorer, tiny_fusing_restorer])
    def test_every_stage_reports_rising_progress_up_to_all_frames(self, restorer):
        runtime = Watched()
        run(random_clip(23), restorer(), settings(window=5, overlap=2, scene_cuts=False), runtime)
        for stage in STAGES:
            done = [report[1] for report in runtime.reports if report[0] == stage]
            assert done == sorted(done)
            assert done[-1] == 23
            assert all(report[2] == 23 for report in runtime.reports)

    def test_results_ask_for_no_gradient(self):
        restorer = tiny_restorer()
        for part in restorer.parts.values():
            part.requires_grad_(True)
        clip, chosen = random_clip(6), settings(window=3, overlap=1)
        latent = upscale(clip, restorer, Watched(), chosen)
        assert not latent.requires_grad
        assert not decode(latent, clip, restorer, Watched(), chosen).requires_grad


class TestBadFrames:
    @pytest.mark.parametrize("number", [0, 17, 29])
    def test_a_frame_with_nan_is_named_by_its_number_in_the_video(self, number):
        clip = random_clip(30)
        clip[number, 0, 3, 3] = float("nan")
        with pytest.raises(ClipError, match=rf"\[{number}\].*NaN"):
            run(clip, Pointwise(), settings(window=5, overlap=2))
        with pytest.raises(ClipError, match=rf"\[{number}\].*NaN"):
            upscale(clip, Pointwise(), Watched(), settings(window=5, overlap=2))

    def test_a_network_that_gives_nan_fails_with_advice(self):
        restorer = Pointwise()
        restorer.parts["decoder"].gain.fill_(float("nan"))
        with pytest.raises(VSRError, match=r"NaN.*float32.*dtype fp32"):
            run(random_clip(1), restorer)

    def test_frames_of_another_kind_are_refused(self):
        with pytest.raises(ClipError, match=r"\(T, 3, H, W\)"):
            run(torch.rand(2, 1, 16, 16), Pointwise())


class TestNetwork:
    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
    @pytest.mark.parametrize("cuts", [{}, {"tile": 16, "window": 3}])
    def test_half_precision_is_close_to_float32(self, dtype, cuts):
        clip = natural_clip(5, 24, 24)
        exact = run(clip, trained_restorer(), settings(**cuts))
        result = run(clip, cast(trained_restorer(), dtype), settings(**cuts))
        assert 0 < (result - exact).abs().max() < TOLERANCE[dtype]

    def test_with_zero_initialised_temporal_blocks_a_clip_is_its_frames_one_by_one(self):
        clip, restorer = random_clip(6), tiny_restorer(temporal=False)
        together, one_by_one = (run(clip, restorer, settings(window=window, color="none")) for window in (6, 1))
        assert torch.allclose(together, one_by_one, atol=TOLERANCE[torch.float32])

    def test_with_trained_temporal_blocks_it_is_not(self):
        clip, restorer = random_clip(6), tiny_restorer(temporal=True)
        together, one_by_one = (run(clip, restorer, settings(window=window, color="none")) for window in (6, 1))
        assert (together - one_by_one).abs().max() > 100 * TOLERANCE[torch.float32]

    def test_a_network_without_training_on_top_of_bicubic_is_bicubic(self):
        clip = 0.2 + 0.6 * natural_clip(3, 20, 24)
        result = run(clip, tiny_restorer(replace(TINY, bicubic_skip=True)), settings(color="none"))
        bicubic = F.interpolate(clip, scale_factor=4, mode="bicubic").clamp(0, 1)
        assert torch.allclose(result, bicubic, atol=TOLERANCE[torch.float32])


class TestFusion:
    """A model that joins every frame with its neighbours, whatever the windows."""

    def whole(self, clip, **fusion):
        chosen = Settings(tiling=Tiling(window=len(clip), overlap=0), fusion=FusionSettings(**fusion))
        return run(clip, NeighbourMean(), chosen)

    @pytest.mark.parametrize(("window", "overlap"), [(3, 2), (4, 3), (7, 2), (16, 4)])
    @pytest.mark.parametrize("sample", [False, True])
    def test_every_frame_sees_both_neighbours_however_the_clip_is_cut_into_windows(self, window, overlap, sample):
        clip = natural_clip(18, 48, 48)
        chosen = Settings(tiling=Tiling(window=window, overlap=overlap), fusion=FusionSettings(sample=sample))
        assert torch.equal(run(clip, NeighbourMean(), chosen), self.whole(clip, sample=sample))

    @pytest.mark.parametrize("frames", [1, 2, 3, 6, 7, 8, 13, 40])
    def test_as_many_frames_come_out_as_went_in(self, frames):
        clip = natural_clip(1, 32, 32).expand(frames, -1, -1, -1)
        assert torch.allclose(run(clip, NeighbourMean()), enlarged(clip), atol=1e-6)

    def test_nothing_is_fused_across_a_cut(self):
        first, second = (shot.repeat_interleave(3, -1).repeat_interleave(3, -2) for shot in two_shots())
        clip = torch.cat([first, second])
        assert torch.allclose(run(clip, NeighbourMean()), enlarged(clip), atol=1e-6)
        mixed = run(clip, NeighbourMean(), settings(scene_cuts=False))
        assert (mixed[6] - enlarged(clip)[6]).abs().max() > 0.05

    def test_a_real_cut_parts_the_clip_in_two(self):
        clip = torch.stack([frame.image for frame in read_frames(CITY)])[CITY_CUT - 3 : CITY_CUT + 3]
        restorer = tiny_fusing_restorer()
        aligned = align_clip(clip, estimator(), Watched())
        assert aligned.next.tolist() == [1, 2, 2, 4, 5, 5]
        assert aligned.previous.tolist() == [0, 0, 1, 3, 3, 4]
        apart = torch.cat([run(shot, restorer) for shot in clip.split(3)])
        assert torch.allclose(run(clip, restorer), apart, atol=TOLERANCE[torch.float32])

    @pytest.mark.parametrize("alignment", ALIGNMENTS)
    @pytest.mark.parametrize(("frames", "height", "width"), [(1, 16, 16), (2, 17, 31), (7, 50, 34)])
    def test_the_network_restores_any_size_and_number_of_frames(self, alignment, frames, height, width):
        clip, chosen = natural_clip(frames, height, width), Settings(fusion=FusionSettings(alignment=alignment))
        assert run(clip, tiny_fusing_restorer(), chosen).shape == (frames, 3, 4 * height, 4 * width)

    def test_frames_too_small_for_the_flow_are_refused(self):
        with pytest.raises(ClipError, match="needs frames of at least 16x16"):
            run(natural_clip(1, 15, 40).expand(2, -1, -1, -1), tiny_fusing_restorer())

    @pytest.mark.parametrize("alignment", ALIGNMENTS)
    def test_tiles_and_batches_change_the_networks_result_within_bounds(self, alignment):
        clip, restorer = natural_clip(5, 96, 112), tiny_fusing_restorer()
        whole = run(clip, restorer, Settings(fusion=FusionSettings(alignment=alignment)))
        tiling = Tiling(tile=48, tile_overlap=16, window=4)
        tiled = run(clip, restorer, Settings(tiling=tiling, fusion=FusionSettings(alignment=alignment)))
        difference = (tiled - whole).abs()
        assert 0 < difference.max() < 0.25  # the step enlarges what the UNet changes by 15
        assert difference.mean() < TILED_DIFFERS_BY[1]

    def test_the_steps_one_by_one_give_what_the_stream_gives(self):
        clip, restorer, chosen = natural_clip(18, 33, 47), NeighbourMean(), Settings(fusion=FusionSettings(sample=True))
        aligned = align_clip(clip, estimator(), Watched())
        latent = fuse(clip, aligned, restorer, Watched(), chosen)
        latent = upscale_fused(latent, restorer, Watched(), chosen)
        assert torch.equal(latent, upscale(clip, restorer, Watched(), chosen))
        assert torch.equal(decode(latent, clip, restorer, Watched(), chosen), run(clip, restorer, chosen))

    def test_flow_of_another_clip_is_refused(self):
        clip, runtime = natural_clip(4, 32, 48), Watched()
        aligned = align_clip(clip, estimator(), runtime)
        with pytest.raises(SettingError, match="4 frames of 48x32, the images are 3 of 48x32"):
            fuse(clip[:3], aligned, NeighbourMean(), runtime, settings())

    def test_a_model_that_fuses_nothing_says_so(self):
        clip = natural_clip(3, 32, 32)
        with pytest.raises(SettingError, match="connect them to One-Step Upscale directly"):
            fuse(clip, align_clip(clip, estimator(), Watched()), Pointwise(), Watched(), settings())


class TestText:
    def test_a_model_without_text_refuses_it(self):
        with pytest.raises(SettingError, match="takes no text"):
            run(random_clip(2), Pointwise(), Settings(text=torch.zeros(1, 77, 1024)))

    @pytest.mark.parametrize("shape", [(1, 77, 768), (77, 1024), (2, 77, 1024)])
    def test_text_of_another_shape_is_refused(self, shape):
        with pytest.raises(SettingError, match=r"takes \(1, tokens, 1024\)"):
            run(random_clip(2), Pointwise(text_width=1024), Settings(text=torch.zeros(shape)))


class TestCausal:
    """A model whose latent frames stand for four frames and mean nothing without those before."""

    @pytest.mark.parametrize("frames", range(1, 41))
    def test_as_many_frames_come_out_as_went_in(self, frames):
        clip = random_clip(frames)
        result = run(clip, Causal(), settings(scene_cuts=False))
        assert torch.allclose(result, enlarged(clip), atol=1e-5)

    @pytest.mark.parametrize(("window", "overlap"), [(1, 0), (5, 4), (9, 0), (9, 8), (11, 3), (21, 8)])
    @pytest.mark.parametrize("tile", [None, 16])
    def test_the_past_is_carried_through_windows_and_tiles(self, window, overlap, tile):
        clip = random_clip(30, 32, 40)
        result = run(clip, Causal(), settings(window=window, overlap=overlap, tile=tile, scene_cuts=False))
        assert torch.allclose(result, enlarged(clip), atol=1e-5)

    def test_every_shot_starts_anew(self):
        clip = torch.cat(two_shots())
        assert torch.allclose(run(clip, Causal()), enlarged(clip), atol=1e-5)

    def test_the_steps_one_by_one_give_what_the_stream_gives(self):
        clip = torch.cat(two_shots(11, 14))
        latent = upscale(clip, Causal(), Watched(), settings())
        assert len(latent) == 4 + 5
        assert torch.allclose(decode(latent, clip, Causal(), Watched(), settings()), enlarged(clip), atol=1e-5)

    def test_little_memory_at_the_start_makes_the_tiles_smaller(self):
        class Short(Causal):
            def decode(self, latent, clip, carry=None):
                if clip.shape[-1] > 16:
                    raise torch.OutOfMemoryError("out of memory")
                return super().decode(latent, clip, carry)

        clip = random_clip(14, 32, 32)
        assert torch.allclose(run(clip, Short(), settings(scene_cuts=False)), enlarged(clip), atol=1e-5)

    def test_noise_of_a_latent_frame_is_the_same_in_every_window(self):
        class Noisy(Causal):
            def step(self, latent, *, noise=None, text=None):
                return latent + 0.01 * noise

        clip = random_clip(30)
        one, many = (
            run(clip, Noisy(noise=True), settings(window=window, overlap=overlap, scene_cuts=False))
            for window, overlap in ((33, 0), (9, 4))
        )
        assert (one - enlarged(clip)).abs().max() > 0.01
        assert torch.allclose(one, many, atol=1e-5)
