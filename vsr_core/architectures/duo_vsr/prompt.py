"""The prompt's embedding: from a file, computed once by UMT5-XXL, or nothing but padding."""

from pathlib import Path

import torch
from torch import Tensor

from ...checkpoints.embedding import read_embedding
from ...checkpoints.text_encoder import load_text_encoder
from ...errors import CheckpointError, SettingError
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
    """Return the embedding (tokens, width) in a file, or that of NO_TEXT; shorter ones are filled up with zeros.

    Raises CheckpointError if there is not one, or if it is wider or longer.
    """
    if str(path) == NO_TEXT:
        return no_prompt(config)
    return checked(read_embedding(path), config, Path(path).name)


def encode_prompt(folder: str | Path, prompt: str, config: DuoVSRConfig) -> Tensor:
    """Return the embedding (tokens, width) of `prompt` by the text encoder in a diffusers `folder`.

    Raises MissingPackageError without the package transformers, CheckpointError if the folder has no text encoder
    of this width, SettingError if the prompt is too long.
    """
    folder = Path(folder)
    tokenizer, encoder = load_text_encoder(
        folder,
        tokenizer="AutoTokenizer",
        encoder="UMT5EncoderModel",
        example="Wan-AI/Wan2.1-T2V-1.3B-Diffusers",
        torch_dtype="auto",
    )
    tokens = tokenizer(" ".join(prompt.split())).input_ids
    if len(tokens) > config.prompt_tokens:
        raise SettingError(f"The prompt has {len(tokens)} tokens, the end included; {config.prompt_tokens} fit.")
    with torch.inference_mode():
        embedding = encoder(torch.tensor([tokens]))[0]
    return checked(embedding, config, f"The text encoder in {folder.name}")


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
