"""DUO-VSR behind the contract: enlarge and encode, one step from noise, decode.

Latents are raw, as Wan2.1's autoencoder makes them and ComfyUI's LATENT holds them, in float32.
"""

from collections.abc import Mapping
from copy import copy
from functools import partial

import torch
from torch import Tensor

from ...checkpoints.strict import assign
from ...contract import Requirements, Stage
from ...errors import SettingError
from .causal import Carry, pictures_at_once
from .config import FRAMES_PER_LATENT, PAPER, SCALE, DuoVSRConfig
from .network import DuoVSR, as_video, enlarged, frames_of, one_step
from .tiny_files import build_tiny_decoder

ENCODE_MAPS, DECODE_MAPS = (11, 10), (19, 11)
"""Values per output pixel alive at the peak of the VAE's halves, in `vae_width`s: carried on, however long the shot is,
and for each frame of those that a layer works on together."""
FOUR_SHARED = 1.8
"""So many frames' values do four take that share their products, which are those of float32 on a CPU."""
TINY_DECODE_VALUES = (300, 0)
"""The same for the tiny decoder, whose widths never change and which works frame by frame."""
ATTENTION_WIDTHS = {torch.float32: 8, torch.float16: 12, torch.bfloat16: 12}
"""Values per token alive at the peak of an attention, in `width`s; rotating makes float32 copies."""
FFN_WIDTHS = 4.5
"""Values per token alive at the peak of a feed-forward layer, in `width`s, beside two of `ffn_width`."""


class DuoVSRRestorer:
    """A loaded DUO-VSR."""

    architecture = "duo_vsr"
    stage_parts: Mapping[Stage, tuple[str, ...]] = {
        "encode": ("encoder",),
        "step": ("denoiser",),
        "decode": ("decoder",),
    }
    fusion = None

    def __init__(self, network: DuoVSR):
        """Take over `network`, which is changed for inference."""
        self.config = network.config
        self.parts = network.parts()
        self.requirements = requirements(network.config)
        maps = {"encode": ENCODE_MAPS, "decode": DECODE_MAPS}
        self.values = {stage: tuple(network.config.vae_width * number for number in maps[stage]) for stage in maps}

    def with_decoder(self, tensors: Mapping[str, Tensor], origin: str) -> "DuoVSRRestorer":
        config = self.config
        if config.bicubic_skip or (config.latent_mean, config.latent_std) != (PAPER.latent_mean, PAPER.latent_std):
            raise SettingError(f"{origin} decodes Wan2.1's latents, not this model's. Use its own decoder (full).")
        other = copy(self)
        other.parts = {**self.parts, "decoder": build_tiny_decoder(tensors, origin, config)}
        other.values = {**self.values, "decode": TINY_DECODE_VALUES}
        return other

    def new_carry(self, stage: Stage) -> Carry | None:
        return None if stage == "step" else Carry()

    def encode(self, clip: Tensor, carry: Carry | None = None) -> Tensor:
        """Return the latents (F, C, H / 2, W / 2) of the next frames (T, 3, H, W) of a shot, in 0..1.

        A shot's first frame has one of its own; the others come in fours.
        """
        return frames_of(self._run("encoder", as_video(enlarged(clip)), carry=carry))

    def step(self, latent: Tensor, *, noise: Tensor | None = None, text: Tensor | None = None) -> Tensor:
        """Return the restored latents of LR latents (F, C, H, W). `noise` is needed: raises ValueError without."""
        if noise is None:
            raise ValueError("DUO-VSR's step starts from noise.")
        if text is not None:
            text = text.to(self.parts["denoiser"].prompt)
        predict = partial(self._run, "denoiser", text=text)
        return one_step(predict, latent.float(), noise.to(latent.device, torch.float32), self.config)

    def decode(self, latent: Tensor, clip: Tensor, carry: Carry | None = None) -> Tensor:
        frames = frames_of(self._run("decoder", as_video(latent), carry=carry))
        if self.config.bicubic_skip:
            frames = frames + enlarged(clip.to(frames))
        return (frames + 1) / 2

    def memory_bytes(self, stage: Stage, frames: int, height: int, width: int, dtype: torch.dtype) -> int:
        if stage == "step":
            tokens = frames * height * width // FRAMES_PER_LATENT // self.config.multiple**2
            return tokens * _bytes_per_token(self.config, dtype)
        pixels = height * width * SCALE**2
        carried, each = self.values[stage]
        together = FOUR_SHARED if dtype == torch.float32 else pictures_at_once(pixels)
        return int(pixels * ((carried + each * together) * dtype.itemsize + 3 * frames * torch.float32.itemsize))

    def _run(self, name: str, x: Tensor, **others: Tensor | Carry | None) -> Tensor:
        part = self.parts[name]
        return part(x.to(next(part.parameters())), **others).float()


def _bytes_per_token(config: DuoVSRConfig, dtype: torch.dtype) -> int:
    attention = ATTENTION_WIDTHS[dtype] * config.width
    feed_forward = int(FFN_WIDTHS * config.width) + 2 * config.ffn_width
    tables = 2 * config.head_width * torch.float32.itemsize
    latents = 2 * config.latent_channels * config.patch**2 * (torch.float32.itemsize + dtype.itemsize)
    return max(attention, feed_forward) * dtype.itemsize + tables + latents


def requirements(config: DuoVSRConfig) -> Requirements:
    """Return the sizes a network of `config` works with."""
    return Requirements(
        scale=SCALE,
        multiple=config.multiple,
        latent_stride=config.latent_stride,
        latent_channels=config.latent_channels,
        image_latent=False,
        frames_per_latent=FRAMES_PER_LATENT,
        noise=True,
        step_mixes_frames=True,
        text_width=config.prompt_width,
        window=config.window,
        overlap=config.overlap,
        tile_overlap=32,
        min_tile=64,
        max_tile=512,
        dtypes=(torch.bfloat16, torch.float16, torch.float32),
        color=config.color,
    )


def build(config: DuoVSRConfig, tensors: Mapping[str, Tensor], origin: str) -> DuoVSRRestorer:
    """Build the network around `tensors`. Raises CheckpointError naming what does not fit."""
    with torch.device("meta"):
        network = DuoVSR(config)
    assign(network, tensors, origin)
    return DuoVSRRestorer(network.eval().requires_grad_(False))
