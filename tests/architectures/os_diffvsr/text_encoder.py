"""A text encoder and its tokenizer in diffusers' layout, of a few hundred parameters."""

import json
from pathlib import Path

import torch

from vsr_core.architectures.os_diffvsr.config import OSDiffVSRConfig

WORDS = ("a", "clean", "photo", "sharp")
START, END = "<|startoftext|>", "<|endoftext|>"


def write_text_encoder(folder: Path, config: OSDiffVSRConfig) -> Path:
    """Write an encoder with random weights that embeds for `config`, and a tokenizer of four words."""
    import transformers

    vocabulary, merges = _vocabulary()
    tokenizer = folder / "tokenizer"
    tokenizer.mkdir(parents=True)
    (tokenizer / "vocab.json").write_text(json.dumps(vocabulary))
    (tokenizer / "merges.txt").write_text("\n".join(["#version: 0.2", *merges]))
    (tokenizer / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "CLIPTokenizer"}))
    sizes = transformers.CLIPTextConfig(
        vocab_size=len(vocabulary),
        hidden_size=config.prompt_width,
        intermediate_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=config.prompt_tokens,
        bos_token_id=vocabulary[START],
        eos_token_id=vocabulary[END],
    )
    torch.manual_seed(0)
    transformers.CLIPTextModel(sizes).save_pretrained(folder / "text_encoder")
    return folder


def _vocabulary() -> tuple[dict[str, int], list[str]]:
    """Return the tokens with their numbers, and the pairs that are joined: a word grows letter by letter."""
    letters = sorted(set("".join(WORDS)))
    tokens, merges = [*letters, *(f"{letter}</w>" for letter in letters)], []
    for word in WORDS:
        pieces = [*word[:-1], f"{word[-1]}</w>"]
        for end in range(1, len(pieces)):
            merges.append(f"{''.join(pieces[:end])} {pieces[end]}")
            tokens.append("".join(pieces[: end + 1]))
    return {token: number for number, token in enumerate(dict.fromkeys([*tokens, START, END]))}, merges
