"""Where a network without pretrained weights begins, so that thousands instead of millions of steps are enough.

The encoder is a Haar transform of the small frames: brightness and three kinds of detail of each 2x2 pixels, equally
strong. At random, detail would be a thousandth of what the latents vary by. Residual blocks begin as identity.
"""

import re

import torch
import torch.nn.functional as F
from torch import nn

from ...architectures.os_diffvsr.network import OSDiffVSR
from ..haar import COLORS, HAAR, bands, means, overwrite, pass_means


@torch.no_grad()
def begin(network: OSDiffVSR) -> None:
    """Set the weights of `network`, whose autoencoder has four levels, for training from scratch."""
    rest(network)
    count = min(len(HAAR) * COLORS, network.config.latent_channels, network.config.vae_channels[2] // 2)
    begin_encoder(network.vae.encoder, count)
    pass_means(network.vae.quant_conv, network.vae.post_quant_conv)


def rest(network: nn.Module) -> None:
    """Make every residual and attention block the identity, and the predicted noise nothing."""
    for name, module in network.named_modules():
        if re.search(r"(\.conv2|\.proj_out|^unet\.conv_out)$", name):
            nn.init.zeros_(module.weight)
            nn.init.zeros_(module.bias)


def begin_encoder(encoder: nn.Module, count: int) -> None:
    """Let an encoder at rest return the first `count` of brightness and detail of each cell; other weights stay."""
    colors, pairs = torch.eye(COLORS)[:, :, None, None], torch.eye(2 * count)[:, :, None, None]
    overwrite(encoder.conv_in, F.pad(colors, (1, 1, 1, 1)))
    for block, passed in zip(encoder.down_blocks, (colors, colors, colors, pairs), strict=True):
        for resnet in block.resnets:
            if resnet.conv_shortcut is not None:
                overwrite(resnet.conv_shortcut, passed)
    twice, again, last = (block.downsamplers[0].conv for block in encoder.down_blocks[:3])
    for enlarged_four_times in (twice, again):
        overwrite(enlarged_four_times, means(COLORS))
    wavelets = bands(COLORS)[:count]
    overwrite(last, torch.cat([wavelets, -wavelets]))
    # The activation before the last layer keeps what is positive: of a pair x and -x the difference is x.
    identity = torch.eye(count)[:, :, None, None]
    overwrite(encoder.conv_out, F.pad(torch.cat([identity, -identity], 1), (1, 1, 1, 1)))
