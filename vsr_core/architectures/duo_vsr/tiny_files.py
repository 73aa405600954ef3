"""Read a published tiny decoder of Wan2.1's latents, and tell it from its relatives."""

from collections.abc import Collection, Mapping

import torch
from torch import Tensor

from ...checkpoints.keys import without_prefix
from ...checkpoints.strict import assign
from ...errors import CheckpointError
from .config import DuoVSRConfig
from .tiny_decoder import TinyDecoder
from .wan_kinds import is_wan_vae, some

NAME, NAME_OF_RAW = "taew2_1", "lighttaew2_1"
EXPECTED = (
    f"expected {NAME} (github.com/madebyollin/taehv) or {NAME_OF_RAW} (huggingface.co/lightx2v/Autoencoders), with "
    "that in the file's name"
)
LAST = "decoder.22.weight"
RELATIVES = {32: "HunyuanVideo 1.5", 48: "Wan 2.2 5B", 128: "LTX-2"}
"""Whose latents a tiny video decoder decodes, by their channels."""


def build_tiny_decoder(tensors: Mapping[str, Tensor], origin: str, config: DuoVSRConfig) -> TinyDecoder:
    """Build the decoder around published `tensors`; the encoder's among them are left out.

    lighttaew2_1 takes raw latents, taew2_1 normalised ones (as in ComfyUI), and only the name of the file, `origin`,
    tells them apart. Raises CheckpointError if they are of something else.
    """
    problem = _problem(tensors, origin, config)
    if problem:
        raise CheckpointError(f"{origin} {problem}; {EXPECTED}.")
    channels, is_raw = config.latent_channels, NAME_OF_RAW in origin.lower()
    with torch.device("meta"):
        decoder = TinyDecoder(
            mean=[0.0] * channels if is_raw else config.latent_mean,
            std=[1.0] * channels if is_raw else config.latent_std,
        )
    rest = {name: value for name, value in tensors.items() if not name.startswith("encoder.")}
    return assign(decoder, rest, origin).eval().requires_grad_(False)


def _problem(tensors: Mapping[str, Tensor], origin: str, config: DuoVSRConfig) -> str | None:
    """Say what else than a tiny decoder of Wan2.1's latents `tensors` are."""
    if LAST not in tensors:
        return _other(tensors)
    first = tensors.get("decoder.1.weight")
    channels = config.latent_channels if first is None or first.ndim != 4 else first.shape[1]
    if channels != config.latent_channels:
        whose = f" of {RELATIVES[channels]}" if channels in RELATIVES else ""
        return f"decodes latents{whose} with {channels} channels instead of {config.latent_channels}"
    if NAME not in origin.lower():
        return "may decode latents of HunyuanVideo, whose tiny decoder has the same tensors"
    return None


def _other(names: Collection[str]) -> str:
    if is_wan_vae(names):
        return "is a Wan's full VAE, which a model of DUO-VSR has in it"
    if "1.weight" in names or without_prefix(dict.fromkeys(names), "taesd_"):
        return "is a tiny autoencoder of single pictures, as TAESD and TAEF1"
    return f"holds no tiny video decoder ({some(names)})"
