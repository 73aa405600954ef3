"""The prompt's embedding: from a file, or computed once by a text encoder that the user has."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...checkpoints.embedding import read_embedding
from ...errors import CheckpointError, MissingPackageError, SettingError
from .config import OSDiffVSRConfig
from .sd21 import TEXT_WIDTHS

DEFAULT = "a clean, sharp, high-resolution photo"
"""Differs from OSEDiff, which tags every image with a network of its own: one neutral prompt for all frames."""
WAYS = (
    "(1) --prompt-embeds FILE with the embedding ready made; (2) --text-encoder DIR --prompt TEXT with a folder that "
    "has text_encoder/ and tokenizer/, as stabilityai/stable-diffusion-2-1-base has; (3) that folder as --sd21"
)
PADDING = 0
"""The token that Stable Diffusion 2's text encoder learned to see after the end; 1.5's sees the end again."""


def read_prompt(path: str | Path, config: OSDiffVSRConfig) -> Tensor:
    """Return the embedding (tokens, width) in a file. Raises CheckpointError if there is not one, or of other size."""
    return checked(read_embedding(path), config, Path(path).name)


def encode_prompt(folder: str | Path, prompt: str, config: OSDiffVSRConfig) -> Tensor:
    """Return the embedding (tokens, width) of `prompt` by the text encoder in a diffusers `folder`.

    Raises MissingPackageError without the package transformers, CheckpointError if the folder has no text encoder
    of this width, SettingError if the prompt is too long.
    """
    folder = Path(folder)
    _check_folder(folder)
    tokenizer, encoder = _load(folder)
    tokens = tokenizer(prompt).input_ids
    free = config.prompt_tokens - len(tokens)
    if free < 0:
        raise SettingError(f"The prompt has {len(tokens)} tokens, start and end included; {config.prompt_tokens} fit.")
    with torch.inference_mode():
        embedding = encoder(torch.tensor([tokens + free * [PADDING]]))[0]
    return checked(embedding, config, f"The text encoder in {folder.name}")


def has_text_encoder(folder: Path) -> bool:
    """Say whether `folder` has what `encode_prompt` needs."""
    return (folder / "text_encoder").is_dir() and (folder / "tokenizer").is_dir()


def checked(embedding: Tensor, config: OSDiffVSRConfig, origin: str) -> Tensor:
    """Return the embedding as (tokens, width) float32. Raises CheckpointError for another size or infinite values."""
    expected = (config.prompt_tokens, config.prompt_width)
    if tuple(embedding.shape) not in (expected, (1, *expected)) or not embedding.is_floating_point():
        width = embedding.shape[-1] if embedding.ndim else 0
        of = f" of {TEXT_WIDTHS[width]}" if width != config.prompt_width and width in TEXT_WIDTHS else ""
        raise CheckpointError(
            f"{origin} gives an embedding{of} of size {tuple(embedding.shape)} ({embedding.dtype}); expected "
            f"{expected} floating-point numbers of Stable Diffusion 2.1's text encoder (OpenCLIP ViT-H)."
        )
    if not embedding.isfinite().all():
        raise CheckpointError(f"{origin} gives an embedding with values that are not finite.")
    return embedding.reshape(expected).float().clone()


def _check_folder(folder: Path) -> None:
    if not has_text_encoder(folder):
        raise CheckpointError(
            f"{folder} has no folders text_encoder/ and tokenizer/; name a folder in diffusers' layout, such as that "
            "of stabilityai/stable-diffusion-2-1-base."
        )


def _load(folder: Path) -> tuple[Any, Any]:
    try:
        from transformers import CLIPTextModel, CLIPTokenizer
    except ImportError as error:
        raise MissingPackageError(
            f"Computing a prompt's embedding needs the package transformers, which cannot be imported ({error}); run "
            "`pip install transformers`, or give the embedding ready made: --prompt-embeds FILE."
        ) from error
    try:
        tokenizer = CLIPTokenizer.from_pretrained(folder / "tokenizer", local_files_only=True)
        return tokenizer, CLIPTextModel.from_pretrained(folder / "text_encoder", local_files_only=True).float().eval()
    except Exception as error:
        raise CheckpointError(f"{folder} holds no text encoder that transformers can load: {error}.") from error
