"""Weights of 8 bits come out exactly as they were stored, with their factors."""

import pytest
import torch
from safetensors.torch import save_file

from vsr_core.checkpoints.float8 import without_float8
from vsr_core.checkpoints.tensors import read_shapes, read_tensors
from vsr_core.errors import CheckpointError

FLOAT8 = (torch.float8_e4m3fn, torch.float8_e5m2)


def every_value(dtype: torch.dtype) -> torch.Tensor:
    """Return all finite numbers that `dtype` has."""
    values = torch.arange(256, dtype=torch.uint8).view(dtype)
    return values[values.float().isfinite()]


@pytest.mark.parametrize("dtype", FLOAT8)
@pytest.mark.parametrize("file", ["weights.safetensors", "weights.pt"])
def test_every_number_is_read_exactly(tmp_path, dtype, file):
    values = every_value(dtype)
    (save_file if file.endswith(".safetensors") else torch.save)({"a.weight": values}, tmp_path / file)
    found = read_tensors(tmp_path / file)["a.weight"]
    assert found.dtype == torch.bfloat16
    assert torch.equal(found.float(), values.float())


@pytest.mark.parametrize("dtype", FLOAT8)
@pytest.mark.parametrize("name", ["scale_weight", "weight_scale"])
@pytest.mark.parametrize("shape", [(), (1,)])
def test_a_factor_is_multiplied_in_and_left_out(dtype, name, shape):
    values, factor = every_value(dtype), torch.full(shape, 0.37)
    found = without_float8({"a.weight": values, "a.bias": values[:2].float(), f"a.{name}": factor}, "file")
    assert found.keys() == {"a.weight", "a.bias"}
    assert found["a.weight"].dtype == torch.float32
    assert torch.equal(found["a.weight"], values.float() * 0.37)
    assert torch.equal(found["a.bias"], values[:2].float())


def test_what_is_only_for_computing_in_8_bits_is_left_out():
    values = torch.ones(2).to(torch.float8_e4m3fn)
    extra = {"a.scale_input": torch.ones(()), "a.input_scale": torch.ones(()), "a.comfy_quant": torch.zeros(9).byte()}
    marks = {"scaled_fp8": torch.zeros(2), "model.diffusion_model.scaled_fp8": torch.zeros(2)}
    assert without_float8({"a.weight": values, **extra, **marks}, "file").keys() == {"a.weight"}


def test_other_tensors_stay_the_same_objects():
    tensors = {"a.weight": torch.ones(2), "a.input_scale": torch.ones(2), "n": torch.zeros(2).long()}
    found = without_float8(tensors, "file")
    assert found.keys() == tensors.keys()
    assert all(found[name] is value for name, value in tensors.items())


@pytest.mark.parametrize(
    ("weight", "factor", "message"),
    [
        (torch.ones(2).to(torch.int8), torch.ones(()), "a.weight_scale has no weight of 8-bit floating-point"),
        (None, torch.ones(()), "a.weight_scale has no weight of 8-bit floating-point"),
        (torch.ones(2).to(torch.float8_e5m2), torch.ones(2, 1), "a.weight_scale holds 2 factors for one tensor"),
    ],
)
def test_other_ways_to_quantise_are_refused_by_name(weight, factor, message):
    tensors = {"a.weight_scale": factor, **({} if weight is None else {"a.weight": weight})}
    with pytest.raises(CheckpointError, match=f"wan.gguf is quantised in a way .*{message}.*16-bit weights"):
        without_float8(tensors, "wan.gguf")


@pytest.mark.parametrize("file", ["weights.safetensors", "weights.pt"])
def test_names_and_shapes_are_read_without_the_weights(tmp_path, file):
    tensors = {"a": torch.ones(2, 3).to(torch.float8_e4m3fn), "b": torch.ones(())}
    (save_file if file.endswith(".safetensors") else torch.save)(tensors, tmp_path / file)
    assert read_shapes(tmp_path / file) == {"a": (2, 3), "b": ()}
