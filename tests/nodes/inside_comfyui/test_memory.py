"""ComfyUI's own memory management owns every part of a model, and lack of memory makes tiles smaller."""

import comfy.model_management as management
import comfy.model_patcher
import pytest
import torch

MODELS = ("tiny.safetensors", "tiny_fusing.safetensors", "tiny_video.safetensors")
CLOSE = 1e-4
"""Tiles of other sizes sum in another order."""


@pytest.fixture(params=MODELS)
def any_model(execute, request):
    return execute("VSRLoadModel", model_name=request.param, dtype="fp32")


@pytest.fixture
def restored(execute):
    """Run One-Step Upscale and Video VAE Decode; return the images."""

    def images(model, frames):
        latent = execute("VSROneStepUpscale", model=model, images=frames)
        return execute("VSRVideoVAEDecode", model=model, latent=latent)

    return images


@pytest.fixture
def loads(monkeypatch):
    """Note what ComfyUI is asked to load, and how much memory is to be left for it."""
    asked, load = [], management.load_models_gpu

    def noted(models, memory_required=0, **options):
        asked.append(([patcher.model for patcher in models], memory_required))
        return load(models, memory_required=memory_required, **options)

    monkeypatch.setattr(management, "load_models_gpu", noted)
    return asked


def refuse_large(part, side: int) -> None:
    """Let `part` run out of memory on inputs that are more than `side` high or wide."""

    def check(_, inputs):
        if max(inputs[0].shape[-2:]) > side:
            raise torch.OutOfMemoryError("CUDA out of memory.")

    part.register_forward_pre_hook(check)


def test_every_part_is_known_to_comfyui(any_model):
    parts = any_model.restorer.parts.values()
    assert set(any_model.patchers) == set(parts)
    assert all(isinstance(any_model.patchers[part], comfy.model_patcher.ModelPatcher) for part in parts)


def test_every_stage_asks_for_its_own_parts_and_the_memory_it_works_in(any_model, restored, moving, loads):
    restored(any_model, moving(5))
    restorer = any_model.restorer
    of_stages = [{restorer.parts[name] for name in names} for names in restorer.stage_parts.values()]
    asked = [(set(parts), memory) for parts, memory in loads if parts[0] in restorer.parts.values()]
    assert {frozenset(parts) for parts, _ in asked} == {frozenset(parts) for parts in of_stages}
    assert all(memory > 0 for _, memory in asked)


def test_larger_frames_ask_for_more_memory(any_model, restored, moving, loads):
    restored(any_model, moving(5, 32, 32))
    small = max(memory for _, memory in loads)
    loads.clear()
    restored(any_model, moving(5, 64, 64))
    assert 3 < max(memory for _, memory in loads) / small < 5


def test_comfyui_can_take_all_memory_back_between_two_runs(any_model, restored, moving):
    before = restored(any_model, moving(5))
    assert set(any_model.patchers.values()) & set(management.loaded_models())
    management.unload_all_models()
    assert not set(any_model.patchers.values()) & set(management.loaded_models())
    torch.testing.assert_close(restored(any_model, moving(5)), before, rtol=0, atol=0)


def test_models_take_turns_with_each_other_and_with_one_of_comfyuis(execute, restored, moving):
    models = [execute("VSRLoadModel", model_name=name, dtype="fp32") for name in MODELS]
    alone = [restored(model, moving(5)) for model in models]
    core = comfy.model_patcher.ModelPatcher(torch.nn.Linear(4, 4), torch.device("cpu"), torch.device("cpu"))
    for model, expected in [*zip(models, alone), *zip(models[::-1], alone[::-1])]:
        management.load_models_gpu([core])
        torch.testing.assert_close(restored(model, moving(5)), expected, rtol=0, atol=0)
    assert core in management.loaded_models()


def test_lack_of_memory_makes_tiles_smaller(execute, restored, moving):
    frames, sizes = moving(3, 96, 96), []
    expected = restored(execute("VSRLoadModel", model_name=MODELS[0], dtype="fp32"), frames)
    model = execute("VSRLoadModel", model_name=MODELS[0], dtype="fp32")
    decoder = model.restorer.parts["decoder"]
    refuse_large(decoder, 40)
    decoder.register_forward_pre_hook(lambda _, inputs: sizes.append(max(inputs[0].shape[-2:])))
    result = restored(model, frames)
    assert sizes and max(sizes) <= 40
    assert result.shape == expected.shape and result.isfinite().all()


def test_lack_of_memory_for_the_smallest_tile_says_what_to_change(any_model, restored, moving, part_of_pack):
    refuse_large(any_model.restorer.parts["decoder"], 0)
    with pytest.raises(part_of_pack("vsr_core.errors").MemoryLimitError, match="window|fp16|dtype|smaller"):
        restored(any_model, moving(5))
