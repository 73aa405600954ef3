"""Means and deviations are matched, and the correction does not flicker."""

import pytest
import torch

from vsr_core.color.statistics import adain, smooth


def noise(frames: int, height: int, width: int, seed: int, mean: float = 0.5, deviation: float = 0.1) -> torch.Tensor:
    return mean + deviation * torch.randn(frames, 3, height, width, generator=torch.Generator().manual_seed(seed))


def moments(frames: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return frames.mean((2, 3)), frames.std((2, 3), correction=0)


def test_without_smoothing_every_frame_has_its_references_mean_and_deviation():
    frames, reference = noise(4, 64, 48, seed=0), noise(4, 16, 12, seed=1, mean=0.3, deviation=0.2)
    matched, _ = adain(frames, reference, smoothing=0)
    for found, wanted in zip(moments(matched), moments(reference), strict=True):
        assert torch.allclose(found, wanted, atol=1e-5)


def test_frames_that_match_already_stay_as_they_are():
    frames = noise(3, 32, 32, seed=0)
    assert torch.allclose(adain(frames, frames)[0], frames, atol=1e-6)


def test_a_constant_frame_takes_the_references_mean_and_stays_finite():
    matched, _ = adain(torch.full((2, 3, 8, 8), 0.2), torch.full((2, 3, 4, 4), 0.7))
    assert torch.allclose(matched, torch.tensor(0.7), atol=1e-5)


def test_smoothing_makes_the_correction_flicker_less_under_noisy_statistics():
    frames = noise(1, 32, 32, seed=0).expand(40, -1, -1, -1)
    level = 0.4 + 0.05 * torch.randn(40, 1, 1, 1, generator=torch.Generator().manual_seed(1))
    reference = level + noise(1, 8, 8, seed=2, mean=0)

    def flicker(smoothing: float) -> float:
        shown = adain(frames, reference, smoothing=smoothing)[0].mean((1, 2, 3))[10:]
        return shown.diff().std().item()

    assert flicker(0.8) < 0.4 * flicker(0)


def test_a_steady_shift_of_colour_is_corrected_fully_in_spite_of_smoothing():
    frames = noise(30, 32, 32, seed=0)
    matched, _ = adain(frames * 0.8 + 0.1, frames)
    assert (matched - frames).abs().max() < 2e-3
    assert (frames * 0.8 + 0.1 - frames).abs().max() > 0.05


@pytest.mark.parametrize("at", [1, 4, 9])
def test_a_clip_in_two_chunks_is_corrected_like_the_whole_clip(at):
    frames, reference = noise(10, 16, 16, seed=0), noise(10, 4, 4, seed=1, mean=0.3)
    whole, last = adain(frames, reference)
    first, state = adain(frames[:at], reference[:at])
    second, state = adain(frames[at:], reference[at:], state)
    assert torch.allclose(torch.cat([first, second]), whole, atol=1e-6)
    assert torch.allclose(state, last, atol=1e-6)


def test_the_running_average_is_the_hand_computed_one():
    values = torch.tensor([1.0, 3.0, 5.0])
    assert torch.allclose(smooth(values, None, 0.5), torch.tensor([1.0, 2.0, 3.5]))
    assert torch.allclose(smooth(values, torch.tensor(9.0), 0.5), torch.tensor([5.0, 4.0, 4.5]))
    assert torch.equal(smooth(values, torch.tensor(9.0), 0.0), values)
