"""Turn Wan2.1's DiT and VAE, and a LoRA for super-resolution, into one file of ours."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from ...checkpoints.lora import merge
from ...checkpoints.metadata import Metadata, config_to_json
from ...checkpoints.write import write_model
from ..argument import Argument
from ..prompt_choice import choose_prompt
from .config import PAPER, DuoVSRConfig
from .network import DuoVSR
from .prompt import DEFAULT, NO_TEXT, WAYS, encode_prompt, read_prompt
from .wan_files import read_dit, read_vae
from .wan_lora import read_lora

ARGUMENTS = {
    "--wan": Argument(
        "the DiT of Wan2.1-T2V-1.3B, or one of its size that was trained with 32 input channels, as a file with Wan's, "
        "diffusers' or ComfyUI's names or as a folder",
        metavar="DIR|FILE",
    ),
    "--vae": Argument("Wan2.1's VAE as a file or a folder", metavar="DIR|FILE"),
    "--lora": Argument("a LoRA to merge into the DiT", required=False),
    "--prompt-embeds": Argument(
        "the prompt's embedding, at most 512 x 4096: a .safetensors, .pt, .npy or .npz file with one tensor; or the "
        "word none: no text",
        metavar="FILE|none",
        required=False,
    ),
    "--text-encoder": Argument(
        "a folder with text_encoder/ and tokenizer/ (UMT5-XXL) to compute the embedding with; default: the folder of "
        "--wan. Needs the package transformers and 12 GB of memory",
        metavar="DIR",
        required=False,
    ),
    "--prompt": Argument(f"the prompt to embed; default: {DEFAULT!r}", metavar="TEXT", required=False),
}
LICENCE = "Wan2.1: Apache-2.0"
UNTRAINED = (
    "its input for the LR video is new, all zeros: the start of a training, which does not look at the video yet"
)


def convert(
    *,
    wan: str | Path,
    vae: str | Path,
    out: str | Path,
    lora: str | Path | None = None,
    prompt_embeds: str | Path | None = None,
    text_encoder: str | Path | None = None,
    prompt: str | None = None,
    dtype: torch.dtype = torch.float32,
    config: DuoVSRConfig = PAPER,
) -> Path:
    """Write the DiT, widened to read the LR latent and with the LoRA merged, the VAE and the prompt as one model file.

    Raises CheckpointError if a file is missing, damaged or of another model; SettingError if options contradict each
    other; MissingPackageError if a prompt is to be computed without the package transformers.
    """
    text, described = _prompt(Path(wan), prompt_embeds, text_encoder, prompt, config)
    with torch.device("meta"):
        network = DuoVSR(config)
    dit, is_new = read_dit(wan, network.dit, config)
    autoencoder = read_vae(vae, network.vae, config)
    sources = [f"Wan2.1-T2V-1.3B's layout, a stand-in for DUO-VSR's backbone: DiT of {Path(wan).name}"]
    if lora is not None:
        dit, is_new = _with_lora(dit, lora, is_new, config)
        sources.append(f"LoRA {Path(lora).name}")
    sources += [f"VAE of {Path(vae).name}", described, *([UNTRAINED] if is_new else [])]
    tensors = {
        **{f"dit.{name}": value for name, value in dit.items()},
        **{f"vae.{name}": value for name, value in autoencoder.items()},
        "prompt": text,
    }
    licence = LICENCE if lora is None else f"{LICENCE}; {Path(lora).name}: its author's"
    metadata = Metadata(
        architecture="duo_vsr", config=config_to_json(config), source="; ".join(sources), licence=licence
    )
    return write_model(out, tensors, metadata, dtype=dtype)


def _with_lora(
    dit: Mapping[str, Tensor], lora: str | Path, is_new: bool, config: DuoVSRConfig
) -> tuple[dict[str, Tensor], bool]:
    """Return the DiT with the LoRA, not rounded yet, and whether it still ignores the LR latent.

    Files that state no alpha count in full, as in ComfyUI and diffusers.
    """
    merged = merge(dit, read_lora(lora, dit, config), alpha=None, dtype=torch.float32)
    lr = merged["patch_embedding.weight"][:, config.latent_channels :]
    return merged, is_new and not lr.any()


def _prompt(
    wan: Path, file: str | Path | None, folder: str | Path | None, prompt: str | None, config: DuoVSRConfig
) -> tuple[Tensor, str]:
    """Return the prompt's embedding and what it is, in words."""
    text, described = choose_prompt(
        file=file,
        folder=folder,
        prompt=prompt,
        base=wan,
        read=partial(read_prompt, config=config),
        encode=partial(encode_prompt, config=config),
        default=DEFAULT,
        absent=f"There is no prompt. Give one of {WAYS}.",
    )
    return text, "no prompt (zeros)" if str(file) == NO_TEXT else described
