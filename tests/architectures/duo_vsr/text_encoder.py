"""A UMT5 text encoder and its tokenizer in diffusers' layout, of a few hundred parameters."""

from pathlib import Path

import torch

from vsr_core.architectures.duo_vsr.config import DuoVSRConfig

WORDS = {"<pad>": 0, "</s>": 1, "<unk>": 2, "a": 3, "clean": 4, "sharp": 5, "video": 6}


def write_text_encoder(folder: Path, config: DuoVSRConfig) -> Path:
    """Write an encoder with random weights that embeds for `config`, and a tokenizer of four words."""
    import tokenizers
    import transformers
    from tokenizers import models, pre_tokenizers, processors

    tokenizer = tokenizers.Tokenizer(models.WordLevel(WORDS, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    ).save_pretrained(folder / "tokenizer")
    sizes = transformers.UMT5Config(
        vocab_size=len(WORDS), d_model=config.prompt_width, d_kv=4, d_ff=8, num_layers=1, num_heads=2
    )
    torch.manual_seed(0)
    transformers.UMT5EncoderModel(sizes).save_pretrained(folder / "text_encoder")
    return folder
