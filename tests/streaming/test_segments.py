"""A video restored in segments is the video restored in one run."""

from dataclasses import replace

import pytest
import torch
from restorers import (
    Causal,
    NeighbourMean,
    Pointwise,
    Seeded,
    TemporalMean,
    enlarged,
    tiny_fusing_restorer,
    tiny_restorer,
    trained_restorer,
)
from streaming.shots import in_segments, moving_shots, plan, whole
from torch import nn

from vsr_core.architectures import duo_vsr
from vsr_core.architectures.duo_vsr.network import DuoVSR
from vsr_core.architectures.duo_vsr.restorer import DuoVSRRestorer
from vsr_core.restore import Settings
from vsr_core.tiling import Tiling

ROUNDING = 1e-5
"""Frames may be computed in batches of other sizes, and so be rounded otherwise."""
SMOOTHED_COLOR = 0.005
"""A colour correction smoothed over time has forgotten all but a thirty-second of the frames before."""


def settings(*, color="none", **tiling) -> Settings:
    return Settings(tiling=Tiling(**tiling), color=color, seed=3)


def tiny_causal_restorer() -> DuoVSRRestorer:
    """Return a TINY DUO-VSR that adds small corrections to bicubic enlargement, as trained weights do."""
    torch.manual_seed(0)
    network = DuoVSR(replace(duo_vsr.TINY, bicubic_skip=True)).eval().requires_grad_(False)
    nn.init.normal_(network.vae.decoder.conv_out.weight, std=0.005)
    return DuoVSRRestorer(network)


WINDOWS = [{}, {"window": 5, "overlap": 3}, {"window": 6, "overlap": 0}, {"window": 7, "overlap": 1, "tile": 16}]


class TestReprocess:
    @pytest.mark.parametrize("cuts", WINDOWS)
    @pytest.mark.parametrize("make", [Pointwise, TemporalMean, Seeded, tiny_restorer])
    @pytest.mark.parametrize("seconds", [0.6, 1.3])
    def test_segments_equal_the_unsegmented_run(self, make, cuts, seconds):
        clip, restorer, chosen = moving_shots(31, 2, 13), make(), settings(**cuts)
        assert len(plan(clip, restorer, chosen, seconds)) > 4
        found = in_segments(clip, restorer, chosen, seconds=seconds)
        torch.testing.assert_close(found, whole(clip, restorer, chosen), rtol=0, atol=ROUNDING)

    @pytest.mark.parametrize("make", [NeighbourMean, tiny_fusing_restorer])
    def test_segments_of_a_fusing_model_equal_the_unsegmented_run(self, make):
        clip, restorer, chosen = moving_shots(17, 2, 9, height=20, width=24), make(), settings()
        found = in_segments(clip, restorer, chosen, seconds=0.5)
        assert torch.allclose(found, whole(clip, restorer, chosen), atol=ROUNDING)

    @pytest.mark.parametrize(("window", "overlap"), [(9, 4), (9, 8), (13, 0)])
    def test_segments_of_latents_that_need_their_past_are_decoded_with_it(self, window, overlap):
        clip, chosen = moving_shots(41, 3), settings(window=window, overlap=overlap)
        found = in_segments(clip, Causal(), chosen, seconds=1)
        assert torch.allclose(found, enlarged(clip), atol=ROUNDING)

    def test_segments_of_a_causal_model_are_close_to_the_unsegmented_run(self):
        clip, restorer = moving_shots(31), tiny_causal_restorer()
        segmented, once = in_segments(clip, restorer, settings(), seconds=1), whole(clip, restorer, settings())
        correction = (once - in_segments(clip, restorer, Settings(strength=0), seconds=1)).abs().mean()
        assert 0 < (segmented - once).abs().mean() < correction
        assert torch.allclose(segmented[:5], once[:5], atol=ROUNDING)

    @pytest.mark.parametrize("make", [trained_restorer, tiny_fusing_restorer])
    def test_smoothed_colours_go_on_across_segments(self, make):
        clip, restorer, chosen = moving_shots(41), make(), settings(color="adain")
        difference = (in_segments(clip, restorer, chosen, seconds=1) - whole(clip, restorer, chosen)).abs()
        assert 0 < difference.max() < SMOOTHED_COLOR


class TestCrossfade:
    @pytest.mark.parametrize("make", [Pointwise, Causal])
    def test_frames_that_do_not_depend_on_windows_are_not_changed(self, make):
        clip = moving_shots(31, 2, 13)
        found = in_segments(clip, make(), settings(), seconds=1, policy="crossfade")
        assert torch.allclose(found, enlarged(clip), atol=ROUNDING)

    def test_a_segment_fades_in_over_one_that_knows_the_past(self):
        clip = torch.linspace(0.2, 0.8, 16).view(-1, 1, 1, 1).expand(-1, 3, 16, 16).clone()
        restorer, chosen = TemporalMean(), settings(window=5, overlap=2, scene_cuts=False)
        start = plan(clip, restorer, chosen, 0.6)[1].start
        found = in_segments(clip, restorer, chosen, seconds=0.6, policy="crossfade")[:, 0, 0, 0]
        past, own = clip[start - 3 : start + 2, 0, 0, 0].mean(), clip[start : start + 5, 0, 0, 0].mean()
        expected = [torch.lerp(past, own, share) for share in (0.25, 0.75)]
        assert torch.allclose(found[start : start + 2], torch.stack(expected), atol=ROUNDING)

    def test_it_is_further_from_the_unsegmented_run_than_reprocessing(self):
        clip, restorer = moving_shots(31), trained_restorer()
        once = whole(clip, restorer, settings())
        faded = in_segments(clip, restorer, settings(), seconds=1, policy="crossfade")
        assert 0 < (faded - once).abs().max() < 0.2


class TestCuts:
    @pytest.mark.parametrize("policy", ["reprocess", "crossfade"])
    @pytest.mark.parametrize("make", [TemporalMean, trained_restorer, tiny_fusing_restorer, tiny_causal_restorer])
    def test_the_frames_around_a_cut_equal_those_of_the_two_shots_alone(self, make, policy):
        clip, restorer, chosen = moving_shots(13, 11), make(), settings(color="adain")
        both, first, second = (
            in_segments(part, restorer, chosen, seconds=0.6, policy=policy, first=number)
            for part, number in ((clip, 0), (clip[:13], 0), (clip[13:], 13))
        )
        assert torch.equal(both[:13], first)
        assert torch.equal(both[13:], second)
