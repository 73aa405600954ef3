"""ComfyUI's own memory management owns every part of a model, and lack of memory makes tiles smaller."""

import gc
import weakref

import comfy.model_management as management
import comfy.model_patcher
import pytest
import torch

MODELS = ("tiny.safetensors", "tiny_fusing.safetensors", "tiny_video.safetensors")


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


def test_the_memory_it_asks_for_is_what_the_model_estimates(any_model, restored, moving, loads, monkeypatch):
    estimates, estimate = [], any_model.restorer.memory_bytes

    def noted(*arguments):
        estimates.append(estimate(*arguments))
        return estimates[-1]

    monkeypatch.setattr(any_model.restorer, "memory_bytes", noted)
    restored(any_model, moving(5))
    parts = set(any_model.restorer.parts.values())
    assert {memory for models, memory in loads if parts & set(models)} <= set(estimates)


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


@pytest.mark.parametrize("name", MODELS)
def test_nothing_keeps_a_model_that_the_graph_no_longer_holds(execute, restored, moving, name):
    model = execute("VSRLoadModel", model_name=name, dtype="fp32")
    restored(model, moving(5))
    parts = [weakref.ref(part) for part in model.restorer.parts.values()]
    management.unload_all_models()
    del model
    gc.collect()
    assert [part() for part in parts] == [None] * len(parts)


def test_models_take_turns_with_each_other_and_with_one_of_comfyuis(execute, restored, moving):
    models = [execute("VSRLoadModel", model_name=name, dtype="fp32") for name in MODELS]
    alone = [restored(model, moving(5)) for model in models]
    core = comfy.model_patcher.ModelPatcher(torch.nn.Linear(4, 4), torch.device("cpu"), torch.device("cpu"))
    for model, expected in [*zip(models, alone), *zip(models[::-1], alone[::-1])]:
        management.load_models_gpu([core])
        torch.testing.assert_close(restored(model, moving(5)), expected, rtol=0, atol=0)
    assert core in management.loaded_models()


@pytest.fixture
def tiles(any_model, monkeypatch):
    """The larger sides of the tiles of each stage, in input pixels; `limit` says which do not fit."""
    restorer, seen, limit = any_model.restorer, {}, {}

    def watched(stage, compute, side):
        def run(*arguments, **options):
            seen.setdefault(stage, []).append(side(*arguments))
            if seen[stage][-1] > limit.get(stage, 1000):
                raise torch.OutOfMemoryError("CUDA out of memory.")
            return compute(*arguments, **options)

        monkeypatch.setattr(restorer, stage, run)

    watched("encode", restorer.encode, lambda clip, *_: max(clip.shape[-2:]))
    watched("step", restorer.step, lambda latent: max(latent.shape[-2:]) * restorer.requirements.latent_stride)
    watched("decode", restorer.decode, lambda latent, clip, *_: max(clip.shape[-2:]))
    return seen, limit


@pytest.mark.parametrize("stage", ["encode", "step", "decode"])
def test_lack_of_memory_halves_the_tiles_of_that_stage(any_model, restored, moving, tiles, stage):
    seen, limit = tiles
    limit[stage] = 64
    result = restored(any_model, moving(1, 128, 128))
    assert sorted(set(seen.pop(stage)), reverse=True) == [128, 64]
    assert all(set(sides) == {128} for sides in seen.values())
    assert result.shape == (1, 512, 512, 3) and result.isfinite().all()


def test_tiles_are_as_large_as_the_free_memory_allows(any_model, restored, moving, tiles, monkeypatch):
    seen, _ = tiles
    monkeypatch.setattr(management, "get_free_memory", lambda *_: 1)
    result = restored(any_model, moving(1, 128, 128))
    assert {max(sides) for sides in seen.values()} == {any_model.restorer.requirements.min_tile}
    assert result.shape == (1, 512, 512, 3) and result.isfinite().all()


def test_lack_of_memory_takes_the_step_of_fewer_frames_together(any_model, restored, moving, monkeypatch):
    restorer, taken = any_model.restorer, []
    step = restorer.step

    def short(latent, **options):
        taken.append(len(latent))
        if len(latent) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return step(latent, **options)

    monkeypatch.setattr(restorer, "step", short)
    result = restored(any_model, moving(9, 32, 32))
    assert max(taken) > 2 >= taken[-1]
    assert result.shape == (9, 128, 128, 3) and result.isfinite().all()


def test_lack_of_memory_for_the_smallest_tile_says_what_to_change(any_model, restored, moving, part_of_pack):
    refuse_large(any_model.restorer.parts["decoder"], 0)
    with pytest.raises(part_of_pack("vsr_core.errors").MemoryLimitError, match="window|fp16|dtype|smaller"):
        restored(any_model, moving(5))
