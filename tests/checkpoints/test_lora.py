"""A LoRA is merged whole, or refused by the name of what does not fit."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from vsr_core.checkpoints.lora import merge
from vsr_core.errors import CheckpointError

TEXT = "block.attn2.to_k"


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def base() -> dict[str, Tensor]:
    return {
        "linear.weight": torch.randn(6, 5),
        "linear.bias": torch.randn(6),
        "conv.weight": torch.randn(6, 5, 3, 3),
        f"{TEXT}.weight": torch.randn(6, 1024),
        "free.weight": torch.randn(2, 2),
    }


def pair(module: str, shape: tuple[int, ...], rank: int = 4, adapter: str = "") -> dict[str, Tensor]:
    """Return a LoRA of a weight of `shape` under peft's names."""
    outputs, *inputs = shape
    end = f".{adapter}.weight" if adapter else ".weight"
    return {
        f"{module}.lora_A{end}": torch.randn(rank, *inputs),
        f"{module}.lora_B{end}": torch.randn(outputs, rank, *[1] * (len(inputs) - 1)),
    }


@pytest.mark.parametrize(("rank", "scaling"), [(4, 2.0), (32, 0.25)])
def test_a_linear_layer_computes_what_it_does_with_the_lora_beside_it(rank, scaling):
    weights, lora, x = base(), pair("linear", (6, 5), rank), torch.randn(3, 5)
    down, up = lora["linear.lora_A.weight"], lora["linear.lora_B.weight"]
    beside = F.linear(x, weights["linear.weight"]) + scaling * F.linear(F.linear(x, down), up)
    assert torch.allclose(F.linear(x, merge(weights, lora)["linear.weight"]), beside, atol=1e-4)


@pytest.mark.parametrize(("stride", "padding"), [(1, 1), (2, 0)])
def test_a_convolution_computes_what_it_does_with_the_lora_beside_it(stride, padding):
    weights, lora, x = base(), pair("conv", (6, 5, 3, 3)), torch.randn(2, 5, 9, 8)
    down, up = lora["conv.lora_A.weight"], lora["conv.lora_B.weight"]
    place = {"stride": stride, "padding": padding}
    beside = F.conv2d(x, weights["conv.weight"], **place) + 2 * F.conv2d(F.conv2d(x, down, **place), up)
    assert torch.allclose(F.conv2d(x, merge(weights, lora)["conv.weight"], **place), beside, atol=1e-4)


def test_alpha_can_be_given():
    weights, lora = base(), pair("linear", (6, 5))
    change = lora["linear.lora_B.weight"] @ lora["linear.lora_A.weight"]
    assert torch.allclose(merge(weights, lora, alpha=16)["linear.weight"], weights["linear.weight"] + 4 * change)


def test_adapters_of_one_layer_add_up():
    weights = base()
    first, second = pair("linear", (6, 5), adapter="first"), pair("linear", (6, 5), rank=2, adapter="second")
    together = merge(weights, first | second)["linear.weight"]
    assert torch.allclose(together, merge(merge(weights, first), second)["linear.weight"], atol=1e-5)
    assert not torch.allclose(together, merge(weights, first)["linear.weight"], atol=0.1)


def test_a_trained_base_layer_replaces_the_bases_before_the_lora_is_added():
    weights, lora = base(), pair("linear", (6, 5), adapter="default")
    own = {"linear.weight": torch.randn(6, 5), "linear.bias": torch.randn(6)}
    renamed = {name.replace("linear.", "linear.base_layer."): value for name, value in own.items()}
    merged, expected = merge(weights, lora | renamed), merge(weights | own, lora)
    assert all(torch.equal(merged[name], value) for name, value in expected.items())
    assert torch.equal(merged["linear.bias"], own["linear.bias"])


def test_a_whole_tensor_under_the_bases_name_replaces_it():
    own = torch.randn(2, 2)
    assert torch.equal(merge(base(), {"free.weight": own})["free.weight"], own)


def test_what_the_lora_does_not_name_stays_and_nothing_given_is_changed():
    weights, lora = base(), pair("linear", (6, 5))
    before = {name: value.clone() for name, value in weights.items()}
    merged = merge(weights, lora)
    assert merged.keys() == weights.keys()
    assert all(torch.equal(merged[name], value) for name, value in before.items() if name != "linear.weight")
    assert all(torch.equal(weights[name], value) for name, value in before.items())


def test_what_changes_can_be_kept_in_float32():
    weights, lora = {name: value.half() for name, value in base().items()}, pair("linear", (6, 5))
    found = merge(weights, lora, dtype=torch.float32)
    exact = merge({name: value.float() for name, value in weights.items()}, lora)
    assert torch.equal(found["linear.weight"], exact["linear.weight"])
    assert all(found[name] is value for name, value in weights.items() if name != "linear.weight")


def down_and_up(lora: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return a LoRA of peft's names under kohya's."""
    return {name.replace("lora_A", "lora_down").replace("lora_B", "lora_up"): value for name, value in lora.items()}


@pytest.mark.parametrize("adapter", ["", "default"])
def test_down_and_up_are_a_and_b(adapter):
    weights, lora = base(), pair("linear", (6, 5), adapter=adapter)
    assert torch.equal(merge(weights, down_and_up(lora))["linear.weight"], merge(weights, lora)["linear.weight"])


@pytest.mark.parametrize("names", [dict, down_and_up])
@pytest.mark.parametrize("alpha", [2.0, None])
def test_an_alpha_in_the_file_counts_more_than_the_one_given(names, alpha):
    weights, lora = base(), {**pair("linear", (6, 5)), **pair("conv", (6, 5, 3, 3))}
    found = merge(weights, {**names(lora), "linear.alpha": torch.tensor(6.0)}, alpha=alpha)
    assert torch.equal(found["linear.weight"], merge(weights, lora, alpha=6.0)["linear.weight"])
    assert torch.equal(found["conv.weight"], merge(weights, lora, alpha=4.0 if alpha is None else alpha)["conv.weight"])


@pytest.mark.parametrize("alpha", [torch.ones(2), torch.tensor(torch.nan), torch.tensor(torch.inf)])
def test_an_alpha_that_is_no_number_is_refused_by_name(alpha):
    with pytest.raises(CheckpointError, match="linear.alpha of the LoRA should be one number"):
        merge(base(), {**pair("linear", (6, 5)), "linear.alpha": alpha})


def test_differences_of_weight_and_bias_are_added():
    weights, lora = base(), pair("linear", (6, 5))
    changes = {"linear.diff": torch.randn(6, 5), "linear.diff_b": torch.randn(6), "free.diff": torch.randn(2, 2)}
    found, alone = merge(weights, {**lora, **changes}), merge(weights, lora)
    torch.testing.assert_close(found["linear.weight"], alone["linear.weight"] + changes["linear.diff"])
    torch.testing.assert_close(found["linear.bias"], weights["linear.bias"] + changes["linear.diff_b"])
    torch.testing.assert_close(found["free.weight"], weights["free.weight"] + changes["free.diff"])


def test_a_difference_is_added_to_the_tensor_that_replaces_the_bases():
    whole, change = torch.randn(2, 2), torch.randn(2, 2)
    found = merge(base(), {"free.diff": change, "free.weight": whole})
    torch.testing.assert_close(found["free.weight"], whole + change)


def test_one_side_of_a_pair_given_twice_is_one_too_many():
    lora = pair("linear", (6, 5))
    with pytest.raises(CheckpointError, match="1 of .* no place in the base model: linear.lora_down.weight"):
        merge(base(), {**lora, "linear.lora_down.weight": lora["linear.lora_A.weight"]})


def test_half_precision_is_rounded_once():
    weights, lora = base(), pair("linear", (6, 5))
    rounded = {name: value.half() for name, value in weights.items()}
    merged = merge(rounded, lora)["linear.weight"]
    exact = merge({name: value.float() for name, value in rounded.items()}, lora)["linear.weight"]
    assert merged.dtype == torch.float16
    assert torch.equal(merged, exact.half())


@pytest.mark.parametrize(
    "name",
    [
        "other.lora_A.weight",
        "linear.lora_A",
        "linear.lora_C.weight",
        "lora_unet_linear.lora_up.weight",
        "note",
        "free.alpha",
        "other.diff",
        "free.diff_b",
        "linear.dora_scale",
        "linear.lora_mid.weight",
    ],
)
def test_a_tensor_without_a_place_is_named(name):
    lora = pair("linear", (6, 5)) | {name: torch.zeros(4, 5)}
    with pytest.raises(CheckpointError, match=rf"1 of the LoRA's 3 tensors have no place in the base model: {name}\."):
        merge(base(), lora)


def test_two_tensors_for_one_place_are_one_too_many():
    lora = {"free.weight": torch.zeros(2, 2), "free.base_layer.weight": torch.zeros(2, 2)}
    with pytest.raises(CheckpointError, match=r"1 of .* no place in the base model: free.base_layer.weight"):
        merge(base(), lora)


def test_of_many_tensors_without_a_place_a_few_are_named():
    lora = {f"layer{index}.lora_A.weight": torch.zeros(4, 5) for index in range(9)}
    with pytest.raises(CheckpointError, match=r"9 of .*layer4.lora_A.weight and 4 more\. It was trained for another"):
        merge(base(), lora)


@pytest.mark.parametrize(("kept", "missing"), [("A", "B"), ("B", "A")])
def test_half_a_pair_is_incomplete(kept, missing):
    lora = {name: value for name, value in pair("linear", (6, 5), adapter="x").items() if f"lora_{kept}" in name}
    with pytest.raises(CheckpointError, match=f"incomplete: there is no linear.lora_{missing}.x"):
        merge(base(), lora)


@pytest.mark.parametrize(
    ("lora", "message"),
    [
        (pair("linear", (6, 7)), r"linear.lora_A is \(4, 7\), expected \(4, 5\)"),
        (pair("linear", (7, 5)), r"linear.lora_B is \(7, 4\), expected \(6, 4\)"),
        (pair("conv", (6, 5, 1, 1)), r"conv.lora_A is \(4, 5, 1, 1\), expected \(4, 5, 3, 3\)"),
        (pair("linear", (6, 5), rank=0), r"linear.lora_A is \(0, 5\), expected \(1, 5\)"),
        (
            pair("linear", (6, 5)) | {"linear.lora_B.weight": torch.zeros(6, 3)},
            r"lora_B is \(6, 3\), expected \(6, 4\)",
        ),
        ({"linear.diff": torch.zeros(6, 4)}, r"linear.diff is \(6, 4\), expected \(6, 5\)"),
        ({"linear.base_layer.weight": torch.zeros(6, 4)}, r"linear.base_layer.weight is \(6, 4\), expected \(6, 5\)"),
        ({"linear.lora_A.weight": torch.zeros(()), "linear.lora_B.weight": torch.zeros(())}, r"lora_A is \(\)"),
    ],
)
def test_a_tensor_of_another_size_is_named_with_both_sizes(lora, message):
    with pytest.raises(CheckpointError, match=message):
        merge(base(), lora)


@pytest.mark.parametrize(
    ("width", "model"), [(768, "Stable Diffusion 1.x"), (2048, "Stable Diffusion XL"), (1280, "another model")]
)
def test_a_lora_of_another_base_model_is_recognised_by_its_text_embedding(width, model):
    lora = {"unheard.of.lora_A.weight": torch.zeros(4, 5)} | pair(TEXT, (6, width))
    message = (
        rf"belongs to {model}, the base model is Stable Diffusion 2.x: {TEXT}.lora_A.weight is \(4, {width}\), exp"
    )
    with pytest.raises(CheckpointError, match=message + r"ected \(4, 1024\)"):
        merge(base(), lora)
