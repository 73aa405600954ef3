"""AdcVSR behind the contract: unshuffle, one UNet call, decode."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from ...checkpoints.strict import assign
from ...contract import Requirements, Stage
from ..upsampling import merge_upsampling
from .blocks import Upsample
from .config import AdcVSRConfig
from .network import AdcVSR, bicubic

# Activations alive at the peak of a stage, in units of that stage's widest map; measured with benchmarks/memory.py.
ENCODE_MAPS = 3
STEP_MAPS = 48
DECODE_MAPS = 5


class AdcVSRRestorer:
    """A loaded AdcVSR (or, without temporal blocks, AdcSR). Its step adds no noise."""

    architecture = "adc_vsr"
    stage_parts: Mapping[Stage, tuple[str, ...]] = {
        "encode": ("denoiser",),
        "step": ("denoiser",),
        "decode": ("decoder",),
    }
    fusion = None
    with_decoder = None

    def __init__(self, network: AdcVSR):
        """Take over `network`, which is changed for inference."""
        self.config = network.config
        merge_upsampling(network, [name for name, part in network.named_modules() if isinstance(part, Upsample)])
        self.parts = {
            "denoiser": network.denoiser.to(memory_format=torch.channels_last),
            "decoder": network.decoder.to(memory_format=torch.channels_last),
        }
        self.requirements = requirements(network.config)

    def new_carry(self, stage: Stage) -> None:
        return None

    def encode(self, clip: Tensor, carry: None = None) -> Tensor:
        weight = self.parts["denoiser"].conv_in.weight
        return F.pixel_unshuffle(clip * 2 - 1, self.config.unshuffle).to(weight.dtype)

    def step(self, latent: Tensor, *, noise: None = None, text: None = None) -> Tensor:
        weight = self.parts["denoiser"].conv_in.weight
        return self.parts["denoiser"](latent.to(weight, memory_format=torch.channels_last), latent.shape[0])

    def decode(self, latent: Tensor, clip: Tensor, carry: None = None) -> Tensor:
        weight = self.parts["decoder"].conv_out.weight
        frames = self.parts["decoder"](latent.to(weight, memory_format=torch.channels_last)).float()
        if self.config.bicubic_skip:
            frames = frames + bicubic(clip.to(frames) * 2 - 1, self.config.scale)
        return (frames + 1) / 2

    def memory_bytes(self, stage: Stage, frames: int, height: int, width: int, dtype: torch.dtype) -> int:
        config = self.config
        pixels = frames * height * width
        if stage == "encode":
            values = ENCODE_MAPS * 3 * pixels
        elif stage == "step":
            values = STEP_MAPS * config.channels[0] * pixels // config.unshuffle**2
        else:
            values = DECODE_MAPS * config.decoder_channels[-2] * pixels * config.scale**2
        return values * dtype.itemsize


def requirements(config: AdcVSRConfig) -> Requirements:
    """Return the sizes a network of `config` works with."""
    return Requirements(
        scale=config.scale,
        multiple=config.multiple,
        latent_stride=config.unshuffle,
        latent_channels=config.feature_channels,
        frames_per_latent=1,
        noise=False,
        image_latent=False,
        step_mixes_frames=True,
        text_width=0,
        window=config.window,
        overlap=config.window // 5,
        tile_overlap=32,
        min_tile=64,
        max_tile=512,
        dtypes=(torch.bfloat16, torch.float16, torch.float32),
        color=config.color,
    )


def build(config: AdcVSRConfig, tensors: Mapping[str, Tensor], origin: str) -> AdcVSRRestorer:
    """Build the network around `tensors`. Raises CheckpointError naming what does not fit."""
    with torch.device("meta"):
        network = AdcVSR(config)
    assign(network, tensors, origin)
    return AdcVSRRestorer(network.eval().requires_grad_(False))
