"""One-Step Upscale can try one window first, and each node shows one bar over all that it does."""

import pytest
import torch

MODELS = ("tiny.safetensors", "tiny_fusing.safetensors", "tiny_video.safetensors")


@pytest.fixture(params=MODELS)
def any_model(execute, request):
    return execute("VSRLoadModel", model_name=request.param, dtype="fp32")


@pytest.fixture
def estimate(node_classes):
    """Let One-Step Upscale estimate; return what it hands on and what it shows."""

    def run(model, images, **inputs):
        node = node_classes["VSROneStepUpscale"].PREPARE_CLASS_CLONE({})
        done = node.execute(model=model, images=images, seed=0, estimate_only=True, **{"strength": 1.0} | inputs)
        return done.args[0], done.ui

    return run


def values(bars) -> list[float]:
    return [value for value, _, _ in bars]


def test_the_estimate_shows_figures_and_a_picture_and_hands_on_nothing(estimate, any_model, moving, shown_picture):
    blocked, shown = estimate(any_model, moving(40))
    assert type(blocked).__name__ == "ExecutionBlocker"
    rows = dict(line.split(maxsplit=1) for line in shown["text"][0].splitlines())
    assert rows["result"] == "40 frames of 192x160"
    assert list(rows) == ["time", "memory", "result", "of", "measured"]
    assert "RAM" in rows["memory"] and "VRAM" in rows["memory"]
    assert "for the step" in rows["of"] and "for decoding" in rows["of"]
    assert shown_picture(shown).size == (2 * 192 + 8, 160)


def test_the_picture_shows_the_strength_that_was_chosen(estimate, model, moving, shown_picture):
    bicubic = shown_picture(estimate(model, moving(3), strength=0.0)[1])
    left, right = (bicubic.crop((start, 40, start + 192, 160)) for start in (0, 200))
    assert left.tobytes() == right.tobytes()
    restored = shown_picture(estimate(model, moving(3))[1])
    assert restored.crop((200, 40, 392, 160)).tobytes() != right.tobytes()


def test_a_fused_latent_is_estimated_from_the_step_on(estimate, execute, fusing_model, moving, bars):
    images = moving(5)
    aligned = execute("VSROpticalFlowWarp", images=images)
    latent = execute("VSRMultiFrameFusion", model=fusing_model, images=images, aligned=aligned)
    assert "5 frames of 192x160" in estimate(fusing_model, images, latent=latent)[1]["text"][0]


def test_the_bar_of_an_estimate_rises_to_its_end(estimate, any_model, moving, bars):
    estimate(any_model, moving(40))
    assert values(bars) == sorted(values(bars))
    assert values(bars)[-1] == bars[-1][1] < 40


def test_an_estimate_sends_no_preview_which_would_hide_its_picture(estimate, model, moving, bars):
    estimate(model, moving(4))
    assert bars and not any(shown for _, _, shown in bars)


@pytest.mark.parametrize("fused", [False, True])
def test_upscaling_and_decoding_each_have_one_bar_that_rises_to_all_frames(execute, fusing_model, moving, bars, fused):
    images, given = moving(9), {}
    if fused:
        aligned = execute("VSROpticalFlowWarp", images=images)
        given["latent"] = execute("VSRMultiFrameFusion", model=fusing_model, images=images, aligned=aligned)
        bars.clear()
    tiling = execute("VSRTemporalTiling", window=3, overlap=2)
    latent = execute("VSROneStepUpscale", model=fusing_model, images=images, tiling=tiling, **given)
    assert values(bars) == sorted(values(bars))
    assert bars[-1] == (9, 9, False)
    bars.clear()
    execute("VSRVideoVAEDecode", model=fusing_model, latent=latent)
    assert values(bars) == sorted(values(bars))
    assert bars[-1] == (9, 9, True)


def test_encoding_moves_the_bar_of_upscaling(execute, model, moving, bars):
    execute("VSROneStepUpscale", model=model, images=moving(4))
    assert values(bars) == [2, 4]


def test_a_workflow_from_before_the_widget_runs(node_classes, model, moving):
    [latent] = node_classes["VSROneStepUpscale"].execute(model=model, images=moving(2), seed=0, strength=1.0).args
    assert isinstance(latent["samples"], torch.Tensor)
    assert node_classes["VSROneStepUpscale"].INPUT_TYPES()["optional"]["estimate_only"]
