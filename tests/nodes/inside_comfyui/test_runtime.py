import comfy.model_management as management
import pytest
import torch


@pytest.fixture
def runtime_module(part_of_pack):
    return part_of_pack("nodes.runtime")


@pytest.fixture
def runtime(runtime_module, model):
    return runtime_module.ComfyRuntime(model.patchers, ["step", "decode"])


def test_auto_is_float32_on_the_cpu_and_a_named_dtype_is_taken_as_it_is(runtime_module):
    supported = (torch.bfloat16, torch.float16, torch.float32)
    assert runtime_module.choose_dtype("auto", supported) == torch.float32
    assert runtime_module.choose_dtype("bf16", supported) == torch.bfloat16


@pytest.mark.parametrize(("name", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_the_loader_converts_the_weights_to_the_chosen_dtype(execute, name, dtype):
    model = execute("VSRLoadModel", model_name="tiny.safetensors", dtype=name)
    weights = [weight for part in model.restorer.parts.values() for weight in part.parameters()]
    assert {weight.dtype for weight in weights} == {dtype}


def test_loading_a_part_hands_it_to_the_model_management(runtime, model):
    part = model.restorer.parts["denoiser"]
    runtime.load([part], memory=1 << 20)
    assert model.patchers[part] in management.loaded_models()
    assert next(part.parameters()).device == runtime.device


def test_only_lack_of_memory_is_taken_for_lack_of_memory(runtime):
    assert runtime.is_out_of_memory(torch.cuda.OutOfMemoryError("x"))
    assert not runtime.is_out_of_memory(ValueError("x"))


def test_cancelling_is_noticed(runtime):
    runtime.check_stopped()
    management.interrupt_current_processing()
    with pytest.raises(management.InterruptProcessingException):
        runtime.check_stopped()


@pytest.fixture
def seen(runtime, monkeypatch):
    """What the bar is told, which ComfyUI may not pass on at once: value, total and picture."""
    reports = []
    monkeypatch.setattr(runtime.bar, "update_absolute", lambda *report: reports.append(report))
    return reports


def test_one_bar_is_over_all_stages_of_the_node_and_no_others(runtime, seen):
    for stage, done in [("encode", 8), ("step", 4), ("step", 8), ("decode", 4), ("compare", 1), ("decode", 8)]:
        runtime.progress(stage, done, 8)
    assert seen == [(value, 8, None) for value in (2, 4, 6, 8)]


def test_nothing_is_shown_while_the_number_of_frames_is_unknown(runtime, seen):
    runtime.progress("step", 4, None)
    assert seen == []


def test_progress_reaches_the_bar_with_a_picture_of_the_frame(runtime, seen):
    runtime.progress("decode", 3, 8, torch.tensor([1.0, 0.5, 0.0]).view(3, 1, 1).expand(3, 4, 6))
    value, total, (kind, picture, _) = seen[0]
    assert (value, total, kind, picture.size) == (3, 8, "JPEG", (6, 4))
    assert picture.getpixel((0, 0)) == (255, 128, 0)
