"""Whatever does not fit a network is named."""

import pytest
import torch
from torch import nn

from vsr_core.checkpoints.strict import assign
from vsr_core.errors import CheckpointError


def on_meta() -> nn.Module:
    with torch.device("meta"):
        return nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 4))


def fitting() -> dict[str, torch.Tensor]:
    return {
        "0.weight": torch.rand(2, 3),
        "0.bias": torch.rand(2),
        "1.weight": torch.rand(4, 2),
        "1.bias": torch.rand(4),
    }


def refused(tensors: dict[str, torch.Tensor]) -> str:
    with pytest.raises(CheckpointError) as caught:
        assign(on_meta(), tensors, "model.safetensors")
    return str(caught.value)


def test_fitting_tensors_become_the_networks_own_without_a_copy():
    tensors = fitting()
    network = assign(on_meta(), tensors, "model.safetensors")
    assert network[1].weight.data_ptr() == tensors["1.weight"].data_ptr()
    assert torch.allclose(network(torch.ones(1, 3)), _by_hand(tensors), atol=1e-6)


def _by_hand(tensors: dict[str, torch.Tensor]) -> torch.Tensor:
    hidden = tensors["0.weight"].sum(1) + tensors["0.bias"]
    return (tensors["1.weight"] @ hidden + tensors["1.bias"])[None]


def test_missing_tensors_are_named():
    tensors = fitting()
    del tensors["0.bias"], tensors["1.weight"]
    message = refused(tensors)
    assert "model.safetensors does not fit" in message
    assert "2 missing (0.bias, 1.weight)" in message


def test_unexpected_tensors_are_named():
    assert "1 unexpected (2.weight)" in refused({**fitting(), "2.weight": torch.zeros(1)})


def test_misshapen_tensors_are_named_with_both_shapes():
    assert "1 misshapen (0.weight is (3, 2), expected (2, 3))" in refused({**fitting(), "0.weight": torch.zeros(3, 2)})


def test_all_problems_are_told_at_once():
    tensors = {**fitting(), "0.weight": torch.zeros(3, 2), "2.weight": torch.zeros(1)}
    del tensors["0.bias"]
    message = refused(tensors)
    assert all(kind in message for kind in ("1 missing", "1 unexpected", "1 misshapen"))


def test_a_long_list_is_shortened():
    message = refused({**fitting(), **{f"extra.{number}": torch.zeros(1) for number in range(9)}})
    assert "9 unexpected (extra.0, extra.1, extra.2, extra.3, extra.4 and 4 more)" in message


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.complex64])
def test_tensors_that_are_no_weights_are_named(dtype):
    assert "0.bias is torch" in refused({**fitting(), "0.bias": torch.zeros(2).to(dtype)})
