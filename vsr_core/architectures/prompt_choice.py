"""Which of the ways to give a prompt at conversion was taken."""

from collections.abc import Callable
from pathlib import Path

from torch import Tensor

from ..checkpoints.text_encoder import has_text_encoder
from ..errors import CheckpointError, SettingError


def choose_prompt(
    *,
    file: str | Path | None,
    folder: str | Path | None,
    prompt: str | None,
    base: Path,
    read: Callable[[str | Path], Tensor],
    encode: Callable[[str | Path, str], Tensor],
    default: str,
    absent: str,
) -> tuple[Tensor, str]:
    """Return a prompt's embedding and what it is, in words.

    It is `read` from `file`, or `encode`d out of `prompt`, else `default`, by the text encoder in `folder`, else in
    `base`. Raises SettingError if a file and more are given, CheckpointError, which says `absent`, if there is no way.
    """
    if file is not None:
        if folder is not None or prompt is not None:
            raise SettingError("--prompt-embeds is the prompt already; leave out --text-encoder and --prompt.")
        return read(file), f"prompt embedding of {Path(file).name}"
    if folder is None and not has_text_encoder(base):
        raise CheckpointError(absent)
    prompt = default if prompt is None else prompt
    return encode(base if folder is None else folder, prompt), f"prompt {prompt!r}"
