"""The prompt's embedding: from a file, or computed once by a text encoder that the user has."""

from pathlib import Path

import torch
from torch import Tensor

from ...checkpoints.embedding import read_embedding
from ...checkpoints.text_encoder import load_text_encoder
from ...errors import CheckpointError, SettingError
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
    tokenizer, encoder = load_text_encoder(
        folder,
        tokenizer="CLIPTokenizer",
        encoder="CLIPTextModel",
        example="stabilityai/stable-diffusion-2-1-base",
    )
    tokens = tokenizer(prompt).input_ids
    free = config.prompt_tokens - len(tokens)
    if free < 0:
        raise SettingError(f"The prompt has {len(tokens)} tokens, start and end included; {config.prompt_tokens} fit.")
    with torch.inference_mode():
        embedding = encoder.float()(torch.tensor([tokens + free * [PADDING]]))[0]
    return checked(embedding, config, f"The text encoder in {folder.name}")


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
