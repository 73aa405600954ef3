"""Text encoders in folders of diffusers' layout, loaded by transformers."""

from pathlib import Path
from typing import Any

from ..errors import CheckpointError, MissingPackageError


def has_text_encoder(folder: Path) -> bool:
    """Say whether `folder` has what `load_text_encoder` needs."""
    return (folder / "text_encoder").is_dir() and (folder / "tokenizer").is_dir()


def load_text_encoder(folder: Path, *, tokenizer: str, encoder: str, example: str, **options: Any) -> tuple[Any, Any]:
    """Return the tokenizer and the text encoder, of these classes of transformers, in `folder`.

    `options` are those of the encoder's `from_pretrained`. Raises CheckpointError, with `example` as a folder that
    would do, if they are not there or cannot be loaded; MissingPackageError without transformers.
    """
    if not has_text_encoder(folder):
        raise CheckpointError(
            f"{folder} has no folders text_encoder/ and tokenizer/; name a folder in diffusers' layout, such as that "
            f"of {example}."
        )
    try:
        import transformers

        tokenizer_class, encoder_class = getattr(transformers, tokenizer), getattr(transformers, encoder)
    except (ImportError, AttributeError) as error:
        raise MissingPackageError(
            f"Computing a prompt's embedding needs the package transformers, which cannot be imported ({error}); run "
            "`pip install transformers`, or give the embedding ready made: --prompt-embeds FILE."
        ) from error
    try:
        loaded = tokenizer_class.from_pretrained(folder / "tokenizer", local_files_only=True)
        return loaded, encoder_class.from_pretrained(folder / "text_encoder", local_files_only=True, **options).eval()
    except Exception as error:
        raise CheckpointError(f"{folder} holds no text encoder that transformers can load: {error}.") from error
