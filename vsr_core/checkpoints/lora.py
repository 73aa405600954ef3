"""Merge low-rank adapters (LoRA) into the weights they were trained for: W + alpha / rank * B A."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from ..errors import CheckpointError

ALPHA = 8.0
"""peft's default, which files that state no alpha were trained with."""
PAIR = re.compile(r"(?P<module>.+)\.lora_(?P<side>A|B|down|up)(?:\.(?P<adapter>[^.]+))?\.weight")
SIDES = {"A": "A", "B": "B", "down": "A", "up": "B"}
"""peft's and kohya's names of the two matrices, as peft's."""
DIFFERENCES = {"diff": "weight", "diff_b": "bias"}
"""Names of whole differences, and of what they are added to."""
BASE_LAYER = ".base_layer."
TEXT_KEYS = "attn2.to_k"
"""The layer that reads the text embedding, in diffusers' names."""
TEXT_WIDTHS = {768: "Stable Diffusion 1.x", 1024: "Stable Diffusion 2.x", 2048: "Stable Diffusion XL"}
"""Base models by the width of their text embedding."""
SHOWN = 5


class _Adapter(NamedTuple):
    module: str
    name: str


@dataclass
class _Parts:
    """The tensors of a LoRA, sorted by what they do to the base."""

    whole: dict[str, Tensor] = field(default_factory=dict)
    """They replace those of the base."""
    pairs: dict[_Adapter, dict[str, tuple[str, Tensor]]] = field(default_factory=dict)
    """A and B, each with its name in the file."""
    alphas: dict[str, float] = field(default_factory=dict)
    """By module."""
    differences: dict[str, Tensor] = field(default_factory=dict)
    """They are added to those of the base."""


def merge(
    base: Mapping[str, Tensor],
    lora: Mapping[str, Tensor],
    *,
    alpha: float | None = ALPHA,
    dtype: torch.dtype | None = None,
) -> dict[str, Tensor]:
    """Return the tensors of `base` with all of `lora` merged in; computed in float32.

    What changes comes in `dtype`; None = in that of `base`.

    `X.lora_A.weight` and `X.lora_B.weight`, with or without an adapter's name before `.weight`, change `X.weight`;
    several adapters of one module add up. kohya's `lora_down` and `lora_up` are the same. `X.base_layer.weight`, or
    a name of the base itself, replaces that tensor. `X.diff` is added to `X.weight`, and `X.diff_b` to `X.bias`.
    The rank is that of the tensors. `X.alpha` counts more than `alpha`; None = as large as the rank.

    Raises CheckpointError unless every tensor of `lora` fits one of `base`, naming those that do not.
    """
    _check_text_width(lora, base)
    parts = _sorted_out(lora, base)
    sums = {name: value.float() for name, value in parts.whole.items()}
    for name, value in parts.differences.items():
        sums[name] = sums.get(name, base[name].float()) + value.float()
    for adapter, pair in parts.pairs.items():
        name = f"{adapter.module}.weight"
        change = _change(adapter, pair, tuple(base[name].shape), parts.alphas.get(adapter.module, alpha))
        sums[name] = sums.get(name, base[name].float()) + change
    return {**base, **{name: value.to(dtype or base[name].dtype) for name, value in sums.items()}}


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


def _sorted_out(lora: Mapping[str, Tensor], base: Mapping[str, Tensor]) -> _Parts:
    parts, unknown = _Parts(), []
    for name, value in lora.items():
        module, _, kind = name.rpartition(".")
        match = PAIR.fullmatch(name)
        pair = parts.pairs.setdefault(_Adapter(match["module"], match["adapter"] or ""), {}) if match else {}
        if match and f"{match['module']}.weight" in base and SIDES[match["side"]] not in pair:
            pair[SIDES[match["side"]]] = (name, value)
        elif kind == "alpha" and _has_pair(module, lora):
            parts.alphas[module] = _number(name, value)
        elif (changed := f"{module}.{DIFFERENCES.get(kind)}") in base:
            _check(name, value, tuple(base[changed].shape))
            parts.differences[changed] = value
        elif (plain := name.replace(BASE_LAYER, ".")) in base and plain not in parts.whole:
            _check(name, value, tuple(base[plain].shape))
            parts.whole[plain] = value
        else:
            unknown.append(name)
    if unknown:
        more = f" and {len(unknown) - SHOWN} more" if len(unknown) > SHOWN else ""
        raise CheckpointError(
            f"{len(unknown)} of the LoRA's {len(lora)} tensors have no place in the base model: "
            f"{', '.join(unknown[:SHOWN])}{more}. It was trained for another model, or its names are not peft's or "
            "kohya's."
        )
    return parts


def _has_pair(module: str, lora: Mapping[str, Tensor]) -> bool:
    return any(f"{module}.lora_{side}.weight" in lora for side in SIDES)


def _number(name: str, value: Tensor) -> float:
    if value.numel() != 1 or not value.float().isfinite().all():
        raise CheckpointError(f"{name} of the LoRA should be one number, got {tuple(value.shape)}. Download it again.")
    return float(value)


def _change(
    adapter: _Adapter, pair: Mapping[str, tuple[str, Tensor]], shape: tuple[int, ...], alpha: float | None
) -> Tensor:
    """Return alpha / rank * B A for a weight of `shape`. A convolution's B is 1x1, and its A has the kernel."""
    for side in "AB":
        if side not in pair:
            name = ".".join(filter(None, (adapter.module, f"lora_{side}", adapter.name)))
            raise CheckpointError(f"The LoRA is incomplete: there is no {name}.")
    (down_name, down), (up_name, up) = pair["A"], pair["B"]
    rank = down.shape[0] if down.ndim and len(down) else 1
    _check(down_name.removesuffix(".weight"), down, (rank, *shape[1:]))
    _check(up_name.removesuffix(".weight"), up, (shape[0], rank, *[1] * (len(shape) - 2)))
    scaling = 1.0 if alpha is None else alpha / rank
    return scaling * (up.flatten(1).float() @ down.flatten(1).float()).reshape(shape)


def _check(name: str, value: Tensor, expected: tuple[int, ...]) -> None:
    if tuple(value.shape) != expected:
        raise CheckpointError(
            f"The LoRA does not fit the base model: {name} is {tuple(value.shape)}, expected {expected}. "
            "It was trained for another model."
        )
