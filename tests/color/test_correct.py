"""Corrections by name."""

import pytest
import torch
from restorers import enlarged, random_clip

from vsr_core.color import MODES, correct
from vsr_core.errors import SettingError


def test_none_gives_the_frames_back_themselves():
    frames = random_clip(2)
    corrected, state = correct("none", frames, frames, None)
    assert corrected is frames
    assert state is None


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(SettingError, match="'sepia'.*none, adain, wavelet, lab"):
        correct("sepia", random_clip(1), random_clip(1), None)


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode != "none"])
def test_every_correction_brings_tinted_frames_closer_to_the_input(mode):
    clip = 0.3 + 0.4 * random_clip(4)
    tinted = enlarged(clip) + torch.tensor([0.1, -0.05, 0.0]).view(3, 1, 1)
    corrected, _ = correct(mode, tinted, clip, None)
    assert corrected.shape == tinted.shape
    assert (corrected - enlarged(clip)).abs().mean() < 0.5 * (tinted - enlarged(clip)).abs().mean()


@pytest.mark.parametrize("mode", MODES)
def test_a_clip_in_two_chunks_is_corrected_like_the_whole_clip(mode):
    clip, frames = random_clip(7), random_clip(7, 64, 64, seed=1)
    whole, _ = correct(mode, frames, clip, None)
    first, state = correct(mode, frames[:3], clip[:3], None)
    second, _ = correct(mode, frames[3:], clip[3:], state)
    assert torch.allclose(torch.cat([first, second]), whole, atol=1e-5)
