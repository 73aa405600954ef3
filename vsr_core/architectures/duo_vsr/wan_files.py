"""Read Wan2.1's DiT and VAE from every layout that they come in, under diffusers' names."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from ...checkpoints.folder import Weights
from ...checkpoints.keys import renamed, without_prefix
from ...checkpoints.strict import check_fit
from ...errors import CheckpointError
from .config import DuoVSRConfig
from .wan_keys import official_dit_name, official_vae_name
from .wan_kinds import check_dit, check_vae, is_wan_dit, is_wan_vae, some

DIT_PREFIXES = ("model.diffusion_model.", "diffusion_model.")
"""What ComfyUI puts before the DiT's names."""
VAE_PREFIXES = ("vae.", "first_stage_model.")
OTHER_PARTS = ("text_encoders.", "cond_stage_model.", "conditioner.")
"""Beginnings of what else a whole checkpoint of ComfyUI holds."""
VAE_FILES = ("Wan2.1_VAE.pth", "wan_2.1_vae.safetensors")
PATCHES = "patch_embedding.weight"
ONE_STYLE = "Files of Wan2.1 have one style; this one was put together wrongly. Take the original file."


def read_dit(path: str | Path, dit: nn.Module, config: DuoVSRConfig) -> tuple[dict[str, Tensor], bool]:
    """Return the tensors of `dit`, and whether the input for the LR latent is new: zeros.

    `dit` may be on `meta`. Raises CheckpointError if a file is missing, damaged, incomplete or of another model.
    """
    weights = Weights(path, inside=("transformer",))
    shapes = weights.shapes()
    prefix = _prefix(shapes, DIT_PREFIXES)
    if is_wan_dit(shapes):
        _check_prefix(shapes, prefix, (*VAE_PREFIXES, *OTHER_PARTS), weights.origin)
    check_dit(without_prefix(shapes, prefix), config, weights.origin)
    tensors = without_prefix(weights.tensors(), prefix)
    tensors = diffusers_names(tensors, dit.state_dict(), official_dit_name, weights.origin)
    is_new = PATCHES in tensors and tensors[PATCHES].shape[1] == config.latent_channels
    if is_new:
        tensors[PATCHES] = widened(tensors[PATCHES], config)
    check_fit(dit, _shapes(tensors), f"The DiT of {weights.origin}")
    return tensors, is_new


def read_vae(path: str | Path, vae: nn.Module, config: DuoVSRConfig) -> dict[str, Tensor]:
    """Return the tensors of `vae`, which may be on `meta`. Raises CheckpointError as `read_dit` does."""
    weights = Weights(path, inside=("vae",), names=VAE_FILES)
    shapes = weights.shapes()
    prefix = _prefix(shapes, VAE_PREFIXES)
    if is_wan_vae(shapes):
        _check_prefix(shapes, prefix, (*DIT_PREFIXES, *OTHER_PARTS), weights.origin)
    check_vae(without_prefix(shapes, prefix), config, weights.origin)
    tensors = without_prefix(weights.tensors(), prefix)
    official = partial(official_vae_name, config=config)
    tensors = diffusers_names(tensors, vae.state_dict(), official, weights.origin)
    check_fit(vae, _shapes(tensors), f"The VAE of {weights.origin}")
    return tensors


def widened(patches: Tensor, config: DuoVSRConfig) -> Tensor:
    """Return a patch embedding, or the A of its LoRA, that reads noise first and the LR latent, ignored yet, second."""
    return torch.cat([patches, torch.zeros_like(patches[:, : config.latent_channels])], 1)


def diffusers_names(
    tensors: Mapping[str, Tensor], names: Iterable[str], official: Callable[[str], str], origin: str
) -> dict[str, Tensor]:
    """Return tensors under diffusers' `names`, given them under those or under `official` ones; others stay.

    Raises CheckpointError if the file has names of both styles.
    """
    names = set(names)
    table = {official(name): name for name in names}
    wans, diffusers = (
        [name for name in tensors if name in only] for only in (table.keys() - names, names - table.keys())
    )
    if wans and diffusers:
        raise CheckpointError(
            f"{origin} mixes two styles of names: Wan's own ({some(wans)}) and diffusers' ({some(diffusers)}). "
            f"{ONE_STYLE}"
        )
    return renamed(tensors, lambda name: table.get(name, name))


def _prefix(names: Iterable[str], prefixes: Iterable[str]) -> str:
    """Return the first of `prefixes` that any name begins with, or nothing."""
    return next((prefix for prefix in prefixes if any(name.startswith(prefix) for name in names)), "")


def _check_prefix(names: Iterable[str], prefix: str, others: tuple[str, ...], origin: str) -> None:
    """Raise CheckpointError if some names begin neither with `prefix` nor with the name of another part."""
    rest = [name for name in names if not name.startswith((prefix, *others))]
    if rest:
        raise CheckpointError(
            f"{origin} mixes two styles of names: most begin with {prefix}, but not {some(rest)}. {ONE_STYLE}"
        )


def _shapes(tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in tensors.items()}
