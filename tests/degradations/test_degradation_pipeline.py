"""The whole pipeline and the drawing of its settings."""

from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
import torch

from vsr_core.clip import resize_bicubic
from vsr_core.degradations import CLEAN, LIGHT, MIXED, PAPER, DegradationConfig, degrade, sampling
from vsr_core.degradations.config import (
    BlurConfig,
    CodecConfig,
    Encoder,
    JpegConfig,
    NoiseConfig,
    ResizeConfig,
)
from vsr_core.errors import ClipError, SettingError


def textured_clip(frames=5, height=64, width=80):
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(frames, 3, height // 4, width // 4, generator=generator)
    return torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic").clamp(0, 1)


def distance(a, b):
    return (a - b).square().mean().item()


@pytest.mark.parametrize("config", [PAPER, LIGHT, CLEAN])
@pytest.mark.parametrize(("frames", "height", "width"), [(1, 64, 64), (2, 66, 83), (7, 32, 96)])
def test_the_result_is_a_quarter_in_size_and_within_range(config, frames, height, width):
    low = degrade(textured_clip(frames, height, width), config, seed=3)
    assert low.shape == (frames, 3, textured_clip(frames, height, width).shape[2] // 4, width // 4)
    assert low.dtype == torch.float32
    assert low.min() >= 0
    assert low.max() <= 1


@pytest.mark.parametrize("config", [PAPER, LIGHT])
def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(config):
    clip = textured_clip()
    results = [degrade(clip, config, seed) for seed in range(12)]
    for seed, result in enumerate(results):
        assert torch.equal(degrade(clip, config, seed), result)
    assert not any(torch.equal(a, b) for a, b in zip(results, results[1:]))


def test_values_are_those_of_eight_bit_video():
    levels = degrade(textured_clip(), LIGHT, seed=1) * 255
    torch.testing.assert_close(levels, levels.round(), atol=1e-4, rtol=0)


def test_clean_is_the_antialiased_bicubic_reduction():
    clip = textured_clip()
    expected = (resize_bicubic(clip, 16, 20) * 255).round() / 255
    torch.testing.assert_close(degrade(clip, CLEAN, seed=0), expected, atol=1.01 / 255, rtol=0)


def test_a_share_of_the_clips_is_only_reduced():
    clip = textured_clip(frames=1)
    clean = degrade(clip, CLEAN, seed=0)
    share = sum(torch.equal(degrade(clip, MIXED, seed), clean) for seed in range(200)) / 200
    assert share == pytest.approx(MIXED.clean, abs=0.07)
    assert degrade(clip, replace(MIXED, clean=1.0, scale=2), seed=0).shape == (1, 3, 32, 40)


def test_paper_degrades_more_than_light_and_light_more_than_clean():
    clip = textured_clip()
    reference = resize_bicubic(clip, 16, 20)
    losses = [
        np.mean([distance(degrade(clip, config, seed), reference) for seed in range(12)])
        for config in (CLEAN, LIGHT, PAPER)
    ]
    assert losses[0] < losses[1] < losses[2]


def test_the_input_clip_is_left_alone():
    clip = textured_clip()
    before = clip.clone()
    degrade(clip, PAPER, seed=0)
    assert torch.equal(clip, before)


def test_a_global_random_state_is_neither_read_nor_changed():
    clip = textured_clip()
    np.random.seed(1)
    torch.manual_seed(1)
    first = degrade(clip, PAPER, seed=5)
    after = np.random.get_state()[1].tolist(), torch.random.get_rng_state()
    np.random.seed(1)
    torch.manual_seed(1)
    assert after[0] == np.random.get_state()[1].tolist()
    assert torch.equal(after[1], torch.random.get_rng_state())
    np.random.seed(2)
    torch.manual_seed(2)
    assert torch.equal(degrade(clip, PAPER, seed=5), first)


def test_a_clip_too_small_to_reduce_is_refused_with_its_size():
    with pytest.raises(ClipError, match="3x9"):
        degrade(torch.rand(2, 3, 9, 3), PAPER, seed=0)


def test_integer_frames_are_refused():
    with pytest.raises(ClipError, match="255"):
        degrade(torch.zeros(2, 3, 64, 64, dtype=torch.uint8), PAPER, seed=0)


def test_a_scale_below_one_is_refused():
    with pytest.raises(SettingError, match="scale is 0"):
        DegradationConfig(scale=0)


def test_configs_are_frozen_and_scale_two_halves():
    with pytest.raises(FrozenInstanceError):
        LIGHT.scale = 2
    assert degrade(textured_clip(), replace(LIGHT, scale=2), seed=0).shape == (5, 3, 32, 40)


def test_a_walk_starts_inside_its_bounds_takes_small_steps_and_stays():
    values = sampling.walk(np.random.default_rng(0), (2.0, 3.0), 0.25, 400)
    steps = np.abs(np.diff(values))
    assert values.min() >= 2
    assert values.max() <= 3
    assert 0.2 < steps.max() <= 0.25
    assert values.std() > 0.1


def test_a_walk_without_steps_is_constant():
    assert len(set(sampling.walk(np.random.default_rng(0), (2.0, 3.0), 0.0, 9))) == 1


@pytest.mark.parametrize("kind", [kind for kind, _ in BlurConfig().kinds])
def test_every_kind_of_kernel_is_drawn_once_per_frame_and_drifts_slowly(kind):
    config = BlurConfig(kinds=((kind, 1.0),), sizes=(9,), sigma=(1.0, 3.0))
    first, second, third = sampling.draw_kernels(np.random.default_rng(4), config, 3)
    for kernel in (first, second, third):
        assert kernel.shape == (9, 9)
        assert kernel.sum() == pytest.approx(1, abs=1e-5)
    assert 0 < np.abs(second - first).max() < 0.05


def test_probability_zero_leaves_the_clip_as_it_is():
    frames = textured_clip().permute(0, 2, 3, 1).numpy()
    steps = [
        (sampling.random_blur, BlurConfig(probability=0.0)),
        (sampling.random_noise, NoiseConfig(probability=0.0)),
        (sampling.random_jpeg, JpegConfig(probability=0.0)),
        (sampling.random_codec, CodecConfig(probability=0.0)),
        (sampling.random_resize, ResizeConfig(modes=(0.0, 0.0, 1.0))),
    ]
    for step, config in steps:
        assert np.array_equal(step(frames, config, np.random.default_rng(0)), frames), step.__name__


def test_resize_goes_up_down_or_stays_as_weighted():
    frames = textured_clip(1).permute(0, 2, 3, 1).numpy()
    rng = np.random.default_rng(0)
    heights = [sampling.random_resize(frames, ResizeConfig(), rng).shape[1] for _ in range(300)]
    shares = [np.mean([h > 64 for h in heights]), np.mean([h < 64 for h in heights])]
    np.testing.assert_allclose(shares, [0.2, 0.7], atol=0.08)
    assert min(heights) >= round(0.15 * 64)
    assert max(heights) <= round(1.5 * 64)


def test_the_codec_that_is_drawn_is_the_one_configured():
    frames = textured_clip(3).permute(0, 2, 3, 1).numpy()
    losses = []
    for crf in (10, 45):
        config = CodecConfig(encoders=(Encoder(name="libx264", option="crf", values=(crf, crf)),))
        compressed = sampling.random_codec(frames, config, np.random.default_rng(0))
        losses.append(((compressed - frames) ** 2).mean())
    assert losses[0] < losses[1] / 3
