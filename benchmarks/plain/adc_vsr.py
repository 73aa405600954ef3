"""AdcVSR without what ours does: contiguous memory, enlargement before its convolution, all frames at once."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vsr_core.architectures.adc_vsr import PAPER
from vsr_core.architectures.adc_vsr.blocks import Upsample
from vsr_core.architectures.adc_vsr.network import AdcVSR
from vsr_core.architectures.adc_vsr.restorer import AdcVSRRestorer

VARIANTS = {"ours": {}}
"""Name -> fields of FusionSettings."""


class PlainUpsample(nn.Module):
    """The textbook form of Upsample."""

    def __init__(self, conv: nn.Conv2d):
        super().__init__()
        self.conv = conv

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))


def build(device: torch.device, dtype: torch.dtype) -> AdcVSR:
    """Return the baseline."""
    network = random_network(device).to(dtype)
    for module in network.modules():
        for name, child in module.named_children():
            if isinstance(child, Upsample):
                setattr(module, name, PlainUpsample(child.conv))
    return network


def build_ours(device: torch.device, dtype: torch.dtype) -> AdcVSRRestorer:
    """Return the same network as `restore` uses it."""
    return AdcVSRRestorer(random_network(device).to(dtype))


def random_network(device: torch.device) -> AdcVSR:
    torch.manual_seed(0)
    with torch.device(device):
        return AdcVSR(PAPER).eval().requires_grad_(False)


def run(network: AdcVSR, clip: Tensor, timed) -> Tensor:
    """Restore `clip` (T, 3, H, W); enter `timed(stage)` for each stage."""
    dtype = network.denoiser.conv_in.weight.dtype
    with timed("encode"):
        latent = F.pixel_unshuffle(clip * 2 - 1, 2).to(dtype)
    with timed("step"):
        latent = network.denoiser(latent, len(clip))
    with timed("decode"):
        return (network.decoder(latent).float() + 1) / 2
