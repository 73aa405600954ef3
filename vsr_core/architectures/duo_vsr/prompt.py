"""The prompt's embedding: from a file, computed once by UMT5-XXL, or nothing but padding."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...checkpoints.embedding import read_embedding
from ...errors import CheckpointError, MissingPackageError, SettingError
from .config import DuoVSRConfig
from .denoiser import filled

DEFAULT = "a clean, sharp, high-resolution video"
"""Differs from the paper, whose prompt is not known."""
NO_TEXT = "none"
WAYS = (
    "(1) --prompt-embeds FILE with the embedding ready made, the one that the weights were trained with if there is; "
    "(2) --text-encoder DIR --prompt TEXT with a folder that has text_encoder/ and tokenizer/ (UMT5-XXL), as "
    "Wan-AI/Wan2.1-T2V-1.3B-Diffusers has; (3) that folder as --wan; (4) --prompt-embeds none for weights that were "
    "trained without text, or to give text as CONDITIONING in ComfyUI"
)
OTHER_WIDTHS = {768: "CLIP ViT-L", 1024: "OpenCLIP ViT-H", 2048: "SDXL's two text encoders"}


def no_prompt(config: DuoVSRConfig) -> Tensor:
    """Return the embedding (tokens, width) of no token at all: zeros, which Wan fills every prompt up with."""
    return torch.zeros(config.prompt_tokens, config.prompt_width)


def read_prompt(path: str | Path, config: DuoVSRConfig) -> Tensor:
    """Return the embedding (tokens, width) in a file; shorter ones are filled up with zeros.

    Raises CheckpointError if there is not one, or if it is wider or longer.
    """
    return checked(read_embedding(path), config, Path(path).name)


def encode_prompt(folder: str | Path, prompt: str, config: DuoVSRConfig) -> Tensor:
    """Return the embedding (tokens, width) of `prompt` by the text encoder in a diffusers `folder`.

    Raises MissingPackageError without the package transformers, CheckpointError if the folder has no text encoder
    of this width, SettingError if the prompt is too long.
    """
    folder = Path(folder)
    if not has_text_encoder(folder):
        raise CheckpointError(
            f"{folder} has no folders text_encoder/ and tokenizer/; name a folder in diffusers' layout, such as that "
            "of Wan-AI/Wan2.1-T2V-1.3B-Diffusers."
        )
    tokenizer, encoder = _load(folder)
    tokens = tokenizer(" ".join(prompt.split())).input_ids
    if len(tokens) > config.prompt_tokens:
        raise SettingError(f"The prompt has {len(tokens)} tokens, the end included; {config.prompt_tokens} fit.")
    with torch.inference_mode():
        embedding = encoder(torch.tensor([tokens]))[0]
    return checked(embedding, config, f"The text encoder in {folder.name}")


def has_text_encoder(folder: Path) -> bool:
    """Say whether `folder` has what `encode_prompt` needs."""
    return (folder / "text_encoder").is_dir() and (folder / "tokenizer").is_dir()


def checked(embedding: Tensor, config: DuoVSRConfig, origin: str) -> Tensor:
    """Return the embedding as (tokens, width) float32. Raises CheckpointError for another size or infinite values."""
    rows = embedding[0] if embedding.ndim == 3 and len(embedding) == 1 else embedding
    fits = rows.ndim == 2 and rows.shape[1] == config.prompt_width and 1 <= len(rows) <= config.prompt_tokens
    if not fits or not embedding.is_floating_point():
        of = f" of {OTHER_WIDTHS[rows.shape[-1]]}" if rows.ndim and rows.shape[-1] in OTHER_WIDTHS else ""
        raise CheckpointError(
            f"{origin} gives an embedding{of} of size {tuple(embedding.shape)} ({embedding.dtype}); expected at most "
            f"{config.prompt_tokens} x {config.prompt_width} floating-point numbers of UMT5-XXL, Wan2.1's text encoder."
        )
    if not embedding.isfinite().all():
        raise CheckpointError(f"{origin} gives an embedding with values that are not finite.")
    return filled(rows.float(), config.prompt_tokens).clone()


def _load(folder: Path) -> tuple[Any, Any]:
    try:
        from transformers import AutoTokenizer, UMT5EncoderModel
    except ImportError as error:
        raise MissingPackageError(
            f"Computing a prompt's embedding needs the package transformers, which cannot be imported ({error}); run "
            "`pip install transformers`, or give the embedding ready made: --prompt-embeds FILE."
        ) from error
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder / "tokenizer", local_files_only=True)
        encoder = UMT5EncoderModel.from_pretrained(folder / "text_encoder", local_files_only=True, torch_dtype="auto")
        return tokenizer, encoder.eval()
    except Exception as error:
        raise CheckpointError(f"{folder} holds no text encoder that transformers can load: {error}.") from error
