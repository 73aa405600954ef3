"""OS-DiffVSR behind the contract: enlarge and encode, fuse, one UNet call, decode.

Latents are unscaled, as Stable Diffusion's autoencoder makes them and ComfyUI's LATENT holds them, in float32.
"""

import re
from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor

from ...checkpoints.strict import assign
from ...contract import Requirements, Stage
from ..upsampling import merge_upsampling
from .config import SCALE, OSDiffVSRConfig
from .fusion import LatentFusion
from .network import OSDiffVSR, enlarged, one_step

# Activations alive at the peak of a stage, in units of that stage's widest map; measured with benchmarks/memory.py.
ENCODE_MAPS = 6
STEP_MAPS = 56
DECODE_MAPS = 4
FRAMES = 3
"""Copies of the enlarged frames, in float32, beside them."""


class OSDiffVSRRestorer:
    """A loaded OS-DiffVSR. Its step adds no noise."""

    architecture = "os_diffvsr"
    stage_parts: Mapping[Stage, tuple[str, ...]] = {
        "encode": ("encoder", "fusion"),
        "step": ("denoiser",),
        "decode": ("decoder",),
    }
    with_decoder = None

    def __init__(self, network: OSDiffVSR):
        """Take over `network`, which is changed for inference."""
        self.config = network.config
        names = [name for name, _ in network.named_modules() if re.search(r"(^|\.)upsamplers\.\d+$", name)]
        merge_upsampling(network, names)
        self.parts = {
            name: part.to(memory_format=torch.channels_last) if name != "fusion" else part
            for name, part in network.parts().items()
        }
        self.requirements = requirements(network.config)

    @property
    def fusion(self) -> LatentFusion:
        return LatentFusion(self.parts["fusion"], self.config)

    def new_carry(self, stage: Stage) -> None:
        return None

    def encode(self, clip: Tensor, carry: None = None) -> Tensor:
        """Return mean and standard deviation (N, 2 C, H / 2, W / 2) of the latents of frames (N, 3, H, W) in 0..1."""
        return self._run("encoder", enlarged(clip))

    def step(self, latent: Tensor, *, noise: None = None, text: Tensor | None = None) -> Tensor:
        if text is not None:
            text = text.to(self.parts["denoiser"].prompt)
        return one_step(partial(self._run, "denoiser", text=text), latent.float(), self.config)

    def decode(self, latent: Tensor, clip: Tensor, carry: None = None) -> Tensor:
        frames = self._run("decoder", latent)
        if self.config.bicubic_skip:
            frames = frames + enlarged(clip.to(frames))
        return (frames + 1) / 2

    def memory_bytes(self, stage: Stage, frames: int, height: int, width: int, dtype: torch.dtype) -> int:
        config, pixels = self.config, frames * height * width
        if stage == "step":
            return STEP_MAPS * config.channels[0] * pixels // config.latent_stride**2 * dtype.itemsize
        widest = {"encode": ENCODE_MAPS * config.vae_channels[0], "decode": DECODE_MAPS * config.vae_channels[1]}
        return (widest[stage] * dtype.itemsize + FRAMES * 3 * torch.float32.itemsize) * pixels * SCALE**2

    def _run(self, name: str, x: Tensor, **others: Tensor | None) -> Tensor:
        part = self.parts[name]
        weight = next(part.parameters())
        return part(x.to(weight, memory_format=torch.channels_last), **others).float()


def requirements(config: OSDiffVSRConfig) -> Requirements:
    """Return the sizes a network of `config` works with."""
    return Requirements(
        scale=SCALE,
        multiple=config.multiple,
        latent_stride=config.latent_stride,
        latent_channels=config.latent_channels,
        frames_per_latent=1,
        noise=False,
        image_latent=True,
        step_mixes_frames=False,
        text_width=config.prompt_width,
        window=config.window,
        overlap=2 if config.window > 2 else 0,
        tile_overlap=32,
        min_tile=64,
        max_tile=512,
        # Equation 2 multiplies the UNet's rounding by 15, and bfloat16 rounds 8 times as coarsely as float16, which
        # Stable Diffusion 2.1's UNet and VAE can bear (Stable Diffusion XL's VAE cannot).
        dtypes=(torch.float16, torch.bfloat16, torch.float32),
        color=config.color,
    )


def build(config: OSDiffVSRConfig, tensors: Mapping[str, Tensor], origin: str) -> OSDiffVSRRestorer:
    """Build the network around `tensors`. Raises CheckpointError naming what does not fit."""
    with torch.device("meta"):
        network = OSDiffVSR(config)
    assign(network, tensors, origin)
    return OSDiffVSRRestorer(network.eval().requires_grad_(False))
