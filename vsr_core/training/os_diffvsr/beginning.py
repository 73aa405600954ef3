"""Where a network without pretrained weights begins, so that thousands instead of millions of steps are enough.

The encoder is a Haar transform of the small frames: brightness and three kinds of detail of each 2x2 pixels, equally
strong. At random, detail would be a thousandth of what the latents vary by. Residual blocks begin as identity.
"""

import re

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...architectures.os_diffvsr.network import OSDiffVSR

DETAIL = 12.0
"""How much stronger than brightness detail becomes; in natural pictures it is about this much weaker."""
HAAR = torch.tensor([[[1, 1], [1, 1]], [[1, -1], [1, -1]], [[1, 1], [-1, -1]], [[1, -1], [-1, 1]]]) / 4
COLORS = 3
NO_DEVIATION = -30.0
"""Logarithm of a variance of nothing."""


@torch.no_grad()
def begin(network: OSDiffVSR) -> None:
    """Set the weights of `network`, whose autoencoder has four levels, for training from scratch."""
    rest(network)
    channels = network.config.latent_channels
    bands = min(len(HAAR) * COLORS, channels, network.config.vae_channels[2] // 2)
    begin_encoder(network.vae.encoder, bands)
    identity = torch.eye(channels)[:, :, None, None]
    overwrite(network.vae.quant_conv, identity)
    overwrite(network.vae.post_quant_conv, identity)
    # Only the mean is trained: samples of the latent shall be no other.
    nn.init.zeros_(network.vae.quant_conv.weight[channels:])
    nn.init.constant_(network.vae.quant_conv.bias[channels:], NO_DEVIATION)


def rest(network: nn.Module) -> None:
    """Make every residual and attention block the identity, and the predicted noise nothing."""
    for name, module in network.named_modules():
        if re.search(r"(\.conv2|\.proj_out|^unet\.conv_out)$", name):
            nn.init.zeros_(module.weight)
            nn.init.zeros_(module.bias)


def begin_encoder(encoder: nn.Module, bands: int) -> None:
    """Let an encoder at rest return the first `bands` of brightness and detail of each cell; other weights stay."""
    colors, pairs = torch.eye(COLORS)[:, :, None, None], torch.eye(2 * bands)[:, :, None, None]
    overwrite(encoder.conv_in, F.pad(colors, (1, 1, 1, 1)))
    for block, passed in zip(encoder.down_blocks, (colors, colors, colors, pairs), strict=True):
        for resnet in block.resnets:
            if resnet.conv_shortcut is not None:
                overwrite(resnet.conv_shortcut, passed)
    twice, again, last = (block.downsamplers[0].conv for block in encoder.down_blocks[:3])
    for enlarged_four_times in (twice, again):
        overwrite(enlarged_four_times, colors * HAAR[0])
    strength = torch.tensor([1, DETAIL, DETAIL, DETAIL])[:, None, None]
    wavelets = torch.cat([torch.eye(COLORS)[:, :, None, None] * kernel for kernel in HAAR * strength])[:bands]
    overwrite(last, torch.cat([wavelets, -wavelets]))
    # The activation before the last layer keeps what is positive: of a pair x and -x the difference is x.
    identity = torch.eye(bands)[:, :, None, None]
    overwrite(encoder.conv_out, F.pad(torch.cat([identity, -identity], 1), (1, 1, 1, 1)))


def overwrite(convolution: nn.Conv2d, kernels: Tensor) -> None:
    """Replace the first outputs of a convolution by `kernels` (outputs, inputs, H, W), from its top left on."""
    outputs, inputs, height, width = kernels.shape
    convolution.weight[:outputs] = 0
    convolution.weight[:outputs, :inputs, :height, :width] = kernels
    convolution.bias[:outputs] = 0
