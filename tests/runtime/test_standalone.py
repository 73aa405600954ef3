"""The stand-alone policy for devices, dtypes and memory."""

import pytest
import torch
from torch import nn

from vsr_core.errors import SettingError
from vsr_core.runtime import StandaloneRuntime
from vsr_core.runtime.standalone import DTYPES, choose_device, runs_fast

CPU = torch.device("cpu")


def test_an_unknown_device_is_refused_with_the_known_ones():
    with pytest.raises(SettingError, match="'tpu'.*auto, cpu, cuda, mps"):
        choose_device("tpu")


@pytest.mark.parametrize("name", ["cuda", "mps"])
def test_a_device_that_is_not_here_is_refused_with_what_to_do(name):
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if present[name]:
        assert choose_device(name).type == name
    else:
        with pytest.raises(SettingError, match=f"{name} is not available here; use --device cpu"):
            choose_device(name)


def test_auto_is_the_best_device_there_is():
    best = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    assert choose_device("auto").type == best
    assert choose_device("cpu") == CPU


def test_an_unknown_dtype_is_refused_with_the_known_ones():
    with pytest.raises(SettingError, match="'int8'.*auto, fp32, fp16, bf16"):
        StandaloneRuntime("cpu", "int8")


@pytest.mark.parametrize("name", DTYPES)
def test_a_dtype_that_is_asked_for_is_taken(name):
    assert StandaloneRuntime("cpu", name).dtype([torch.float32]) == DTYPES[name]


def test_the_automatic_dtype_is_the_first_that_the_device_is_fast_in():
    runtime = StandaloneRuntime("cpu")
    assert runtime.dtype([torch.float32, torch.bfloat16]) == torch.float32
    assert runtime.dtype([torch.float16]) == torch.float32
    fast = runs_fast(CPU, torch.bfloat16)
    assert runtime.dtype([torch.bfloat16, torch.float32]) == (torch.bfloat16 if fast else torch.float32)


def test_every_device_is_fast_in_float32_and_no_cpu_in_float16():
    assert all(runs_fast(torch.device(kind), torch.float32) for kind in ("cpu", "cuda", "mps"))
    assert not runs_fast(CPU, torch.float16)
    assert runs_fast(torch.device("mps"), torch.float16)
    assert not runs_fast(torch.device("mps"), torch.bfloat16)


def test_loading_moves_the_parts_that_are_needed_and_no_others():
    runtime = StandaloneRuntime("cpu")
    runtime.device = torch.device("meta")  # a device that every machine has
    needed, other = nn.Linear(2, 2), nn.Linear(2, 2)
    runtime.load([needed], 0)
    assert needed.weight.device.type == "meta"
    assert other.weight.device.type == "cpu"


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_parts_give_way_on_a_gpu_when_memory_is_short():
    runtime = StandaloneRuntime("cuda")
    first, second = nn.Linear(2, 2), nn.Linear(2, 2)
    runtime.load([first], 0)
    runtime.load([second], 0)
    assert first.weight.device.type == second.weight.device.type == "cuda"
    runtime.load([second], 1 << 50)
    assert first.weight.device.type == "cpu"
    assert second.weight.device.type == "cuda"


def test_stages_are_timed_by_name():
    runtime = StandaloneRuntime("cpu")
    assert runtime.seconds == {"encode": 0.0, "step": 0.0, "decode": 0.0}
    with runtime.timed("step"):
        torch.rand(64, 64) @ torch.rand(64, 64)
    assert runtime.seconds["step"] > 0
    assert runtime.seconds["encode"] == runtime.seconds["decode"] == 0


def test_lack_of_memory_is_told_from_other_errors():
    runtime = StandaloneRuntime("cpu")
    assert runtime.is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory."))
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 60, dtype=torch.uint8)
    assert runtime.is_out_of_memory(caught.value)
    assert runtime.is_out_of_memory(RuntimeError("MPS backend out of memory (MPS allocated: 8.81 GB)"))
    assert not runtime.is_out_of_memory(RuntimeError("shapes do not fit"))
    assert not runtime.is_out_of_memory(ValueError("not enough memory"))


def test_free_memory_is_a_number_of_bytes():
    assert StandaloneRuntime("cpu").free_memory() > 1 << 20


def test_progress_is_passed_on_where_somebody_listens():
    heard = []
    StandaloneRuntime("cpu", progress=lambda *report: heard.append(report)).progress("step", 3, 5)
    assert heard == [("step", 3, 5, None)]
    StandaloneRuntime("cpu").progress("step", 3, 5)
