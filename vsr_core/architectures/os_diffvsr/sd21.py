"""Read Stable Diffusion 2.1 base: a folder in diffusers' layout, or one file in the original layout."""

import json
from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path

from torch import Tensor

from ...checkpoints.keys import renamed, without_prefix
from ...checkpoints.tensors import read_tensors
from ...errors import CheckpointError
from .config import OSDiffVSRConfig
from .sd_keys import LEFT_OUT, UNET, VAE, unet_name, vae_name

WEIGHTS = tuple(f"diffusion_pytorch_model{kind}" for kind in (".safetensors", ".bin", ".fp16.safetensors", ".fp16.bin"))
"""File names in a diffusers folder, the most precise first."""
TEXT_WIDTHS = {768: "Stable Diffusion 1.5", 1024: "Stable Diffusion 2", 2048: "Stable Diffusion XL"}
"""Width of the text embedding that cross-attention reads, by model."""
INPUT_CHANNELS = {5: "the depth", 8: "the image editing", 9: "the inpainting"}
LARGEST_EPSILON_DEVIATION = 0.09
"""Of one bias of the UNet; larger in models that predict v (ComfyUI's rule in supported_models.py)."""
EXPECTED = "expected Stable Diffusion 2.1 base (512 pixels, epsilon prediction)"
SHOWN = 3
NAMES = {"unet": "UNet", "vae": "VAE"}
Parts = dict[str, dict[str, Tensor]]


def read_sd21(path: str | Path, config: OSDiffVSRConfig) -> Parts:
    """Return the tensors of "unet" and of "vae" under diffusers' names, all that the file or folder has of them.

    Raises CheckpointError if a part is missing, if a tensor is of no known part, or if it is another model.
    """
    path = Path(path)
    found = _read_folder(path) if path.is_dir() else _read_file(path)
    check_text_width(found["unet"], config, path.name)
    unet = renamed(found["unet"], partial(unet_name, config=config))
    _check_kind(unet, config, path.name)
    vae = renamed(found["vae"], partial(vae_name, config=config))
    return {"unet": unet, "vae": {name: _linear(name, value) for name, value in vae.items()}}


def check_text_width(unet: Mapping[str, Tensor], config: OSDiffVSRConfig, origin: str) -> None:
    """Raise CheckpointError if weights of cross-attention, or LoRA A of them, are made for text of another width."""
    for name, value in unet.items():
        reads_text = "attn2.to_k." in name and ".lora_B." not in name
        if reads_text and value.shape[-1] != config.prompt_width:
            kind = TEXT_WIDTHS.get(value.shape[-1], "another model")
            raise CheckpointError(
                f"{origin} is for text of width {value.shape[-1]}, as {kind} is ({name} is {tuple(value.shape)}); "
                f"{EXPECTED}, of width {config.prompt_width}."
            )


def _read_folder(folder: Path) -> Parts:
    scheduler = folder / "scheduler" / "scheduler_config.json"
    if scheduler.is_file():
        prediction = _prediction(scheduler)
        if prediction != "epsilon":
            raise CheckpointError(f"{folder.name} predicts {prediction} ({scheduler.name}); {EXPECTED}.")
    return {part: read_tensors(_weights(folder / part)) for part in ("unet", "vae")}


def _prediction(scheduler: Path) -> str:
    try:
        return str(json.loads(scheduler.read_text(encoding="utf-8")).get("prediction_type", "epsilon"))
    except (OSError, ValueError, AttributeError) as error:
        raise CheckpointError(f"{scheduler} is no JSON of a scheduler: {error}.") from error


def _weights(folder: Path) -> Path:
    for name in WEIGHTS:
        if (folder / name).is_file():
            return folder / name
    raise CheckpointError(
        f"No weights in {folder}: looked for {', '.join(WEIGHTS)}. Name the folder in which unet/ and vae/ are."
    )


def _read_file(path: Path) -> Parts:
    tensors = read_tensors(path)
    parts = {part: without_prefix(tensors, prefix) for part, prefix in (("unet", UNET), ("vae", VAE))}
    missing = [NAMES[part] for part, found in parts.items() if not found]
    if missing:
        raise CheckpointError(
            f"{path.name} holds no {' and no '.join(missing)} ({_some(tensors)}); expected a whole checkpoint with "
            f"tensors called {UNET}* and {VAE}*, or a folder in diffusers' layout."
        )
    unknown = [name for name in tensors if not name.startswith((UNET, VAE, *LEFT_OUT))]
    if unknown:
        raise CheckpointError(f"{path.name} holds tensors of no known part ({_some(unknown)}); {EXPECTED}.")
    return parts


def _some(names: Collection[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(list(names)[:SHOWN]) + more


def _check_kind(unet: Mapping[str, Tensor], config: OSDiffVSRConfig, origin: str) -> None:
    """Raise CheckpointError for the relatives of Stable Diffusion 2.1 base, which have its names."""
    first = unet.get("conv_in.weight")
    if first is not None and first.ndim == 4 and first.shape[1] != config.latent_channels:
        kind = INPUT_CHANNELS.get(first.shape[1], "another")
        raise CheckpointError(f"{origin} is {kind} model: its UNet takes {first.shape[1]} channels; {EXPECTED}.")
    bias = unet.get(f"up_blocks.{len(config.channels) - 1}.attentions.{config.layers}.transformer_blocks.0.norm1.bias")
    if bias is not None and bias.float().std(unbiased=False) > LARGEST_EPSILON_DEVIATION:
        raise CheckpointError(f"{origin} seems to predict v, as Stable Diffusion 2.1 of 768 pixels does; {EXPECTED}.")


def _linear(name: str, value: Tensor) -> Tensor:
    """Return the VAE's attention weights as matrices; the original layout has them as 1x1 convolutions."""
    if ".attentions." in name and value.ndim == 4 and value.shape[2:] == (1, 1):
        return value[:, :, 0, 0]
    return value
