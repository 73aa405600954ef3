"""Turn Stable Diffusion 2.1 and OSEDiff's LoRA into one file of ours."""

from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from ...checkpoints.lora import merge
from ...checkpoints.metadata import Metadata, config_to_json
from ...checkpoints.strict import check_fit
from ...checkpoints.write import write_model
from ..argument import Argument
from ..prompt_choice import choose_prompt
from .config import PAPER, OSDiffVSRConfig
from .network import OSDiffVSR
from .osediff import read_osediff
from .prompt import DEFAULT, WAYS, encode_prompt, read_prompt
from .sd21 import NAMES, read_sd21
from .temporal import MultiFrameFusion

ARGUMENTS = {
    "--sd21": Argument(
        "Stable Diffusion 2.1 base (512 pixels, epsilon prediction; not the 768 pixel model, which predicts v) as a "
        "folder in diffusers' layout or as one .safetensors or .ckpt file",
        metavar="DIR|FILE",
    ),
    "--osediff": Argument("OSEDiff's LoRA (osediff.pkl)"),
    "--prompt-embeds": Argument(
        "the prompt's embedding, 77 x 1024: a .safetensors, .pt, .npy or .npz file with one tensor", required=False
    ),
    "--text-encoder": Argument(
        "a folder with text_encoder/ and tokenizer/ to compute the embedding with; default: the folder of --sd21. "
        "Needs the package transformers",
        metavar="DIR",
        required=False,
    ),
    "--prompt": Argument(f"the prompt to embed; default: {DEFAULT!r}", metavar="TEXT", required=False),
}
LICENCE = "OSEDiff: Apache-2.0; Stable Diffusion 2.1: CreativeML Open RAIL++-M"


def convert(
    *,
    sd21: str | Path,
    osediff: str | Path,
    out: str | Path,
    prompt_embeds: str | Path | None = None,
    text_encoder: str | Path | None = None,
    prompt: str | None = None,
    dtype: torch.dtype = torch.float32,
    config: OSDiffVSRConfig = PAPER,
) -> Path:
    """Write the base model, OSEDiff's LoRA merged into it, the prompt and untrained fusion as one model file.

    Raises CheckpointError if a file is missing, damaged or of another model; SettingError if options contradict each
    other; MissingPackageError if a prompt is to be computed without the package transformers.
    """
    text, described = _prompt(Path(sd21), prompt_embeds, text_encoder, prompt, config)
    base, lora = _base(Path(sd21), config), read_osediff(osediff, config)
    fusion = MultiFrameFusion(
        channels=config.latent_channels, heads=config.fusion_heads, width=config.fusion_width, scale=config.latent_scale
    )
    tensors = {
        **{f"{part}.{name}": value for part in lora for name, value in merge(base.pop(part), lora[part]).items()},
        **{f"fusion.{name}": value for name, value in fusion.state_dict().items()},
        "prompt": text,
    }
    source = (
        f"OSEDiff (github.com/cswry/OSEDiff, {Path(osediff).name}) over Stable Diffusion 2.1 base ({Path(sd21).name}); "
        f"{described}; fusion untrained: similarity-weighted averaging"
    )
    metadata = Metadata(architecture="os_diffvsr", config=config_to_json(config), source=source, licence=LICENCE)
    return write_model(out, tensors, metadata, dtype=dtype)


def _base(sd21: Path, config: OSDiffVSRConfig) -> dict[str, dict[str, Tensor]]:
    """Return the tensors of "unet" and "vae". Raises CheckpointError unless they are exactly those of `config`.

    They are float32, so that what is merged into them is rounded once, when it is written.
    """
    base = read_sd21(sd21, config)
    with torch.device("meta"):
        network = OSDiffVSR(config)
    for part, tensors in base.items():
        shapes = {name: tuple(value.shape) for name, value in tensors.items()}
        check_fit(network.get_submodule(part), shapes, f"The {NAMES[part]} of {sd21.name}")
    return {part: {name: value.float() for name, value in tensors.items()} for part, tensors in base.items()}


def _prompt(
    sd21: Path, file: str | Path | None, folder: str | Path | None, prompt: str | None, config: OSDiffVSRConfig
) -> tuple[Tensor, str]:
    """Return the prompt's embedding and what it is, in words."""
    return choose_prompt(
        file=file,
        folder=folder,
        prompt=prompt,
        base=sd21,
        read=partial(read_prompt, config=config),
        encode=partial(encode_prompt, config=config),
        default=DEFAULT,
        absent=f"There is no prompt, and {sd21.name} {_why_not(sd21)}. Give one of {WAYS}.",
    )


def _why_not(sd21: Path) -> str:
    if not sd21.exists():
        return "is not there"
    if sd21.is_dir():
        return "has no text_encoder/ and tokenizer/"
    return (
        "is a single file, which comes without the tokenizer that its text encoder needs (and ComfyUI has no node that "
        "saves a CONDITIONING)"
    )
