"""Merge low-rank adapters (LoRA) into the weights they were trained for: W + alpha / rank * B A."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from torch import Tensor

from ..errors import CheckpointError

ALPHA = 8.0
"""peft's default, which files that state no alpha were trained with."""
PAIR = re.compile(r"(?P<module>.+)\.lora_(?P<side>[AB])(?:\.(?P<adapter>[^.]+))?\.weight")
BASE_LAYER = ".base_layer."
TEXT_KEYS = "attn2.to_k"
"""The layer that reads the text embedding, in diffusers' names."""
TEXT_WIDTHS = {768: "Stable Diffusion 1.x", 1024: "Stable Diffusion 2.x", 2048: "Stable Diffusion XL"}
"""Base models by the width of their text embedding."""
SHOWN = 5


class _Adapter(NamedTuple):
    module: str
    name: str


def merge(base: Mapping[str, Tensor], lora: Mapping[str, Tensor], *, alpha: float = ALPHA) -> dict[str, Tensor]:
    """Return the tensors of `base` with all of `lora` merged in, in the dtypes of `base`; computed in float32.

    `lora` has peft's names. `X.lora_A.weight` and `X.lora_B.weight`, with or without an adapter's name before
    `.weight`, change `X.weight`; several adapters of one module add up. `X.base_layer.weight`, or a name of the base
    itself, replaces that tensor. The rank is that of the tensors.

    Raises CheckpointError unless every tensor of `lora` fits one of `base`, naming those that do not.
    """
    _check_text_width(lora, base)
    whole, pairs = _sorted_out(lora, base)
    sums = {name: value.float() for name, value in whole.items()}
    for adapter, pair in pairs.items():
        name = f"{adapter.module}.weight"
        change = _change(adapter, pair, tuple(base[name].shape), alpha)
        sums[name] = sums.get(name, base[name].float()) + change
    return {**base, **{name: value.to(base[name].dtype) for name, value in sums.items()}}


def _check_text_width(lora: Mapping[str, Tensor], base: Mapping[str, Tensor]) -> None:
    """Raise CheckpointError if the LoRA's cross-attention reads another text embedding than the base's."""
    expected = {value.shape[-1] for name, value in base.items() if name.endswith(f"{TEXT_KEYS}.weight")}
    for name, value in lora.items():
        if expected and f"{TEXT_KEYS}.lora_A." in name and value.shape[-1] not in expected:
            came, needed = (TEXT_WIDTHS.get(width, "another model") for width in (value.shape[-1], min(expected)))
            raise CheckpointError(
                f"The LoRA belongs to {came}, the base model is {needed}: {name} is {tuple(value.shape)}, expected "
                f"{(*value.shape[:-1], min(expected))}. Use a LoRA that was trained for this base model."
            )


def _sorted_out(
    lora: Mapping[str, Tensor], base: Mapping[str, Tensor]
) -> tuple[dict[str, Tensor], dict[_Adapter, dict[str, Tensor]]]:
    """Return the tensors that replace those of the base, by name, and the pairs that change them, by side."""
    whole: dict[str, Tensor] = {}
    pairs: dict[_Adapter, dict[str, Tensor]] = {}
    unknown = []
    for name, value in lora.items():
        match = PAIR.fullmatch(name)
        if match and f"{match['module']}.weight" in base:
            pairs.setdefault(_Adapter(match["module"], match["adapter"] or ""), {})[match["side"]] = value
        elif (plain := name.replace(BASE_LAYER, ".")) in base and plain not in whole:
            _check(name, value, tuple(base[plain].shape))
            whole[plain] = value
        else:
            unknown.append(name)
    if unknown:
        more = f" and {len(unknown) - SHOWN} more" if len(unknown) > SHOWN else ""
        raise CheckpointError(
            f"{len(unknown)} of the LoRA's {len(lora)} tensors have no place in the base model: "
            f"{', '.join(unknown[:SHOWN])}{more}. It was trained for another model, or its names are not peft's."
        )
    return whole, pairs


def _change(adapter: _Adapter, pair: Mapping[str, Tensor], shape: tuple[int, ...], alpha: float) -> Tensor:
    """Return alpha / rank * B A for a weight of `shape`. A convolution's B is 1x1, and its A has the kernel."""
    sides = {side: ".".join(filter(None, (adapter.module, f"lora_{side}", adapter.name))) for side in "AB"}
    for side, name in sides.items():
        if side not in pair:
            raise CheckpointError(f"The LoRA is incomplete: there is no {name}.")
    down, up = pair["A"], pair["B"]
    rank = down.shape[0] if down.ndim and len(down) else 1
    _check(sides["A"], down, (rank, *shape[1:]))
    _check(sides["B"], up, (shape[0], rank, *[1] * (len(shape) - 2)))
    return alpha / rank * (up.flatten(1).float() @ down.flatten(1).float()).reshape(shape)


def _check(name: str, value: Tensor, expected: tuple[int, ...]) -> None:
    if tuple(value.shape) != expected:
        raise CheckpointError(
            f"The LoRA does not fit the base model: {name} is {tuple(value.shape)}, expected {expected}. "
            "It was trained for another model."
        )
