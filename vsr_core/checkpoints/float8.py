"""Weights that were stored in 8-bit floating point, plain or with a factor per tensor (ComfyUI's scaled files)."""

from collections.abc import Mapping

import torch
from torch import Tensor

from ..errors import CheckpointError

FACTORS = ("scale_weight", "weight_scale")
"""Names, beside a layer's `weight`, of what its stored weight is to be multiplied by: the older and the newer one."""
ONLY_FOR_FLOAT8_MATHS = ("scale_input", "input_scale", "comfy_quant")
MARK = "scaled_fp8"


def without_float8(tensors: Mapping[str, Tensor], origin: str) -> dict[str, Tensor]:
    """Return the tensors with 8-bit floats as bfloat16, which holds them exactly, or float32 where they are scaled.

    Factors are multiplied in; what only matters for computing in 8 bits is left out.
    Raises CheckpointError for factors of anything but 8-bit floats, and for other than one factor per tensor.
    """
    layers = {name.removesuffix(".weight") for name, value in tensors.items() if is_float8(value)}
    found = {}
    for name, value in tensors.items():
        layer, _, kind = name.rpartition(".")
        if kind in FACTORS:
            _check_factor(name, value, layer in layers, origin)
        elif kind != MARK and not (kind in ONLY_FOR_FLOAT8_MATHS and layer in layers):
            factor = next((tensors[f"{layer}.{given}"] for given in FACTORS if f"{layer}.{given}" in tensors), None)
            found[name] = _plain(value, factor if kind == "weight" else None)
    return found


def is_float8(value: Tensor) -> bool:
    """Say whether a tensor holds floating-point numbers of 8 bits."""
    return value.is_floating_point() and value.dtype.itemsize == 1


def _plain(value: Tensor, factor: Tensor | None) -> Tensor:
    if not is_float8(value):
        return value
    return value.to(torch.bfloat16) if factor is None else value.float() * factor.float().reshape(())


def _check_factor(name: str, factor: Tensor, has_float8_weight: bool, origin: str) -> None:
    if not has_float8_weight:
        problem = "has no weight of 8-bit floating-point numbers beside it"
    elif factor.numel() != 1:
        problem = f"holds {factor.numel()} factors for one tensor"
    else:
        return
    raise CheckpointError(
        f"{origin} is quantised in a way that is not known here: {name} {problem}. Expected plain weights, float8, or "
        "float8 with one factor per tensor; use the file with 16-bit weights."
    )
