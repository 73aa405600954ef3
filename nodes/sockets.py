"""What travels along the pack's own connections."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from comfy_api.latest import io
from torch import Tensor, nn

from ..vsr_core.contract import Restorer
from ..vsr_core.errors import SettingError

VSR_MODEL = io.Custom("VSR_MODEL")
VSR_TILING = io.Custom("VSR_TILING")

CATEGORY = "video/VSR"
SOURCE = "vsr_source"  # key of our entry in a LATENT


def tiling_input():
    """Return the optional tiling socket that every computing node has."""
    return VSR_TILING.Input(
        "tiling",
        optional=True,
        tooltip="How to cut the video into pieces; automatic without it. Connect Temporal Tiling when memory "
        "runs out or seams show.",
    )


@dataclass(frozen=True)
class VSRModel:
    """A loaded model in its computing dtype, and what ComfyUI's memory management knows each part by."""

    restorer: Restorer
    patchers: Mapping[nn.Module, Any]


@dataclass(frozen=True)
class LatentSource:
    """What decoding needs besides the latent: input frames (T, 3, H, W) and (T, 1, H, W) alpha, in 0..1."""

    clip: Tensor
    alpha: Tensor | None
    strength: float
    architecture: str


def make_latent(samples: Tensor, source: LatentSource) -> dict[str, Any]:
    """Return a LATENT of `samples` (T, C, H, W), in ComfyUI's layout for video (1, C, T, H, W)."""
    return {"samples": samples.movedim(0, 1).unsqueeze(0), SOURCE: source}


def read_latent(latent: dict[str, Any], model: VSRModel) -> tuple[Tensor, LatentSource]:
    """Return samples (T, C, H, W) and their source; raise SettingError if `model` did not make them."""
    source, restorer = latent.get(SOURCE), model.restorer
    if source is None:
        raise SettingError(
            "This latent does not come from One-Step Upscale, so the frames it was made from are unknown. "
            "Connect the latent output of One-Step Upscale."
        )
    samples = latent["samples"][0].movedim(1, 0)
    made = (source.architecture, samples.shape[1])
    wanted = (restorer.architecture, restorer.requirements.latent_channels)
    if made != wanted:
        raise SettingError(
            "The latent was made by a {} model with {} latent channels, the connected model is {} with {}. "
            "Connect the same Load VSR Model to One-Step Upscale and Video VAE Decode.".format(*made, *wanted)
        )
    return samples, source
