"""What travels along the pack's own connections."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from comfy_api.latest import io
from torch import Tensor, nn

from ..vsr_core.clip import padding_to_multiple
from ..vsr_core.contract import Restorer
from ..vsr_core.errors import SettingError
from ..vsr_core.tiling.groups import latents_of

VSR_MODEL = io.Custom("VSR_MODEL")
VSR_TILING = io.Custom("VSR_TILING")
VSR_ALIGNED = io.Custom("VSR_ALIGNED")
OPTICAL_FLOW = io.Custom("OPTICAL_FLOW")
"""ComfyUI's own: a model patcher around torchvision's RAFT."""

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


@dataclass(frozen=True, kw_only=True)
class LatentSource:
    """What decoding needs besides the latent: input frames (T, 3, H, W) and (T, 1, H, W) alpha, in 0..1."""

    clip: Tensor
    alpha: Tensor | None
    architecture: str
    shots: Sequence[int]
    """Frames of each shot, as the latent was made."""
    restored: bool
    """Whether the diffusion step is done; False: the latent is fused only."""
    strength: float = 1.0


def make_latent(samples: Tensor, source: LatentSource, model: VSRModel) -> dict[str, Any]:
    """Return a LATENT of `samples` (T, C, H, W) in ComfyUI's layout: images as they are, video (1, C, T, H, W)."""
    if not model.restorer.requirements.image_latent:
        samples = samples.movedim(0, 1).unsqueeze(0)
    return {"samples": samples, SOURCE: source}


def read_latent(latent: dict[str, Any], model: VSRModel) -> tuple[Tensor, LatentSource]:
    """Return samples (T, C, H, W) and their source; raise SettingError if `model` did not make them."""
    source = latent.get(SOURCE)
    if source is None:
        raise SettingError(
            "This latent does not come from One-Step Upscale or Multi-Frame Fusion, so the frames it was made from "
            "are unknown. Connect the latent output of one of them."
        )
    check_maker(latent["samples"], source, model.restorer)
    samples = latent["samples"]
    if not model.restorer.requirements.image_latent:
        check_one_video(samples)
        samples = samples[0].movedim(1, 0)
    check_size(samples, source, model.restorer)
    return samples, source


def read_fused(latent: dict[str, Any], model: VSRModel, clip: Tensor) -> Tensor:
    """Return the fused samples (T, C, H, W) of `clip`; raise SettingError if they are something else."""
    samples, source = read_latent(latent, model)
    if source.restored:
        raise SettingError(
            "The latent has been through One-Step Upscale already. Connect the latent of Multi-Frame Fusion here, or "
            "connect this latent to Video VAE Decode."
        )
    if not torch.equal(source.clip, clip):
        raise SettingError(
            f"The latent was fused from {size_in_words(source.clip)}, which are not the {size_in_words(clip)} of "
            "images. Connect the same images to Multi-Frame Fusion and One-Step Upscale."
        )
    return samples


def read_text(conditioning: list | None) -> Tensor | None:
    """Return the text embedding (1, tokens, channels) of the first entry of a CONDITIONING."""
    return conditioning[0][0][:1] if conditioning else None


def check_maker(samples: Tensor, source: LatentSource, restorer: Restorer) -> None:
    """Raise SettingError if another kind of model made `samples`, channels in dimension 1."""
    made = (source.architecture, samples.shape[1])
    wanted = (restorer.architecture, restorer.requirements.latent_channels)
    if made != wanted:
        raise SettingError(
            "The latent was made by a {} model with {} latent channels, the connected model is {} with {}. "
            "Connect the same Load VSR Model to all nodes that make and read the latent.".format(*made, *wanted)
        )


def check_one_video(samples: Tensor) -> None:
    """Raise SettingError unless `samples` are those of one video (1, C, T', H, W)."""
    if samples.ndim != 5 or len(samples) != 1:
        raise SettingError(
            f"The latent is shaped {tuple(samples.shape)}; that of one video is (1, channels, frames, height, width). "
            "Take out what repeats it or joins it with others."
        )


def check_size(samples: Tensor, source: LatentSource, restorer: Restorer) -> None:
    """Raise SettingError if `samples` (T', C, H, W) are not as many and as large as a latent of the source."""
    needs, size = restorer.requirements, source.clip.shape[-2:]
    frames = sum(latents_of(shot, needs.frames_per_latent, start=True) for shot in source.shots)
    sides = ((side + padding_to_multiple(side, needs.multiple)) // needs.latent_stride for side in size)
    wanted, came = (frames, *sides), (len(samples), *samples.shape[-2:])
    if came != wanted:
        raise SettingError(
            "The latent has {} latent frames of {}x{} (height x width); its {} need {} of {}x{}. Take out what "
            "resizes it or takes frames from it.".format(*came, size_in_words(source.clip), *wanted)
        )


def size_in_words(clip: Tensor) -> str:
    """Return, for example, "8 frames of 320x240 pixels"."""
    return f"{len(clip)} frames of {clip.shape[-1]}x{clip.shape[-2]} pixels"
