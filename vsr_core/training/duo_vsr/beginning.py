"""Where a DUO-VSR without pretrained weights begins, so that thousands instead of millions of steps are enough.

Latents hold four frames one after the other, each as a Haar transform of its small pixels. The decoder treats all four
alike: its first feature are edges, as well as they can be put back in place, the others are random. Residual blocks
begin as identity, and the DiT changes nothing and does not hear the noise.

The autoencoder's norms divide by the length of a pixel's channels, so that flat areas would count as much as edges.
So one channel is constant and as long as all others together usually are: then a norm is nearly the identity.
"""

import re

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...architectures.duo_vsr.autoencoder_blocks import Downsample, ResidualBlock, RMSNorm
from ...architectures.duo_vsr.config import FRAMES_PER_LATENT
from ...architectures.duo_vsr.network import DuoVSR
from ..haar import COLORS, DETAIL, HAAR, bands, means, overwrite, pass_means

BANDS = COLORS * len(HAAR)
"""Latents of a frame."""
PAIR = 2
"""Frames that a layer which halves or doubles their number works on."""
SOFT = 0.25
"""SiLU is nearly half the identity for numbers as small as this."""
INSIDE = 4.0
"""How much stronger features are inside a residual block, where SiLU shall bend them."""
STRENGTH = 6.0
"""How much stronger edges are than their pixels."""
CORRELATION = 0.95
"""Of neighbouring pixels of natural pictures."""
NOISE = 1e-3
"""Share of noise in them."""
AROUND, TAPS = 10, 9
"""Pixels in a row that edges in the cell in their middle may depend on; taps of a kernel."""
SMOOTH = torch.outer(torch.tensor([1.0, 2.0, 1.0]), torch.tensor([1.0, 2.0, 1.0])) / 16
"""Kernel that makes nearest-neighbour enlargement linear."""
GATES = (2, 5)
"""Rows of a block's modulation: how much of attention and of the feed-forward layer is added."""


@torch.no_grad()
def begin(network: DuoVSR) -> None:
    """Set the weights of `network` for training from scratch."""
    rest(network)
    begin_dit(network.dit)
    begin_decoder(network.vae.decoder)
    begin_encoder(network.vae.encoder)
    for module in network.vae.modules():
        if isinstance(module, ResidualBlock):
            nn.init.kaiming_normal_(module.conv1.weight, nonlinearity="linear").mul_(INSIDE)
            nn.init.zeros_(module.conv1.bias)
            hold(module.conv1)
        if isinstance(module, RMSNorm):
            module.gamma[-1] = 0  # what it is for is done once the length is known
    pass_means(network.vae.quant_conv, network.vae.post_quant_conv)


def rest(network: nn.Module) -> None:
    """Make every residual, attention and transformer block the identity, and the predicted velocity nothing."""
    for name, module in network.named_modules():
        if re.search(r"(\.conv2|\.attentions\.0\.proj|\.to_out\.0|\.ffn\.net\.2|^dit\.proj_out)$", name):
            nn.init.zeros_(module.weight)
            nn.init.zeros_(module.bias)


def begin_dit(dit: nn.Module) -> None:
    """Open the gates, which begin nearly shut, and ignore the noise."""
    for block in dit.blocks:
        block.scale_shift_table[:, GATES] = 1
    patches = dit.patch_embedding.weight
    nn.init.zeros_(patches[:, : patches.shape[1] // 2])


def begin_encoder(encoder: nn.Module) -> None:
    """Let an encoder at rest return the brightness and detail of each frame, as many of them as there is room for."""
    overwrite(encoder.conv_in, F.pad(torch.eye(COLORS)[:, :, None, None, None], (1, 1, 1, 1, 2, 0)))
    hold(encoder.conv_in)
    for block in encoder.down_blocks:
        if isinstance(block, ResidualBlock) and isinstance(block.conv_shortcut, nn.Conv3d):
            overwrite(block.conv_shortcut, torch.eye(block.conv_shortcut.in_channels - 1)[:, :, None, None, None])
            hold(block.conv_shortcut)
    twice, again, last = (block for block in encoder.down_blocks if isinstance(block, Downsample))
    for layer, kernels in (
        (twice.resample[1], means(COLORS)),
        (again.resample[1], means(COLORS)),
        (again.time_conv, both(COLORS)),
        (last.resample[1], bands(PAIR * COLORS)),
        (last.time_conv, both(PAIR * BANDS)),
    ):
        overwrite(layer, kernels[: len(layer.weight) - 1, : layer.weight.shape[1] - 1])
        hold(layer)
    channels, inputs = len(encoder.conv_out.weight) // 2, encoder.conv_out.weight.shape[1] - 1
    frame_by_frame = torch.eye(FRAMES_PER_LATENT * BANDS).view(PAIR, len(HAAR), PAIR, COLORS, -1).transpose(1, 2)
    kernels = frame_by_frame.flatten(0, 3)[:channels, :inputs, None, None, None]
    overwrite(encoder.conv_out, F.pad(kernels, (1, 1, 1, 1, 2, 0)) * 2 / SOFT)
    nn.init.constant_(encoder.norm_out.gamma, SOFT)


def begin_decoder(decoder: nn.Module) -> None:
    """Let the same layers work on each of a latent's frames; their first feature are its edges."""
    first, second, third = (block.upsamplers[0] for block in decoder.up_blocks[:-1])
    share(decoder.conv_in, edges(), frames=FRAMES_PER_LATENT, inputs=BANDS, ignored=COLORS)
    in_place = STRENGTH * torch.eye(TAPS).view(1, TAPS, 3, 3)
    share(first.resample[1], in_place, frames=PAIR, inputs=first.resample[1].weight.shape[1] // FRAMES_PER_LATENT)
    split(first.time_conv)
    split(second.time_conv)
    for level, block in enumerate(decoder.up_blocks):
        shortcut, frames = block.resnets[0].conv_shortcut, PAIR if level == 1 else 1
        if isinstance(shortcut, nn.Conv3d):
            share(shortcut, torch.ones(1, 1, 1, 1), frames=frames, inputs=shortcut.weight.shape[1] // frames)
    share(second.resample[1], SMOOTH[None, None], frames=1, inputs=second.resample[1].weight.shape[1] // PAIR)
    share(third.resample[1], SMOOTH[None, None], frames=1, inputs=third.resample[1].weight.shape[1])
    for name, layer in decoder.named_modules():
        if re.search(r"(\.resample\.1|\.time_conv|\.conv_shortcut)$", name) and hasattr(layer, "weight"):
            layer.weight[:, -1] = 0  # the constant channel is for norms alone


def share(layer: nn.Module, kernels: Tensor, *, frames: int, inputs: int, ignored: int = 0) -> None:
    """Let a layer make the same features of each of `frames` frames out of its `inputs` channels.

    `kernels` (features, channels, H, W) make the first features; the others are random and see no `ignored` channels.
    """
    shared = layer.weight.new_empty(len(layer.weight) // frames, inputs, *layer.weight.shape[-2:])
    nn.init.kaiming_normal_(shared, nonlinearity="linear")
    shared[:, :ignored] = 0
    kernels = kernels[: len(shared), :inputs]
    shared[: len(kernels)] = 0
    shared[: len(kernels), : kernels.shape[1]] = kernels
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    weight = layer.weight[:, :, -1] if layer.weight.ndim == 5 else layer.weight  # of three frames the last
    for frame, outputs in enumerate(weight.chunk(frames)):
        block = outputs[:, frame * inputs : (frame + 1) * inputs]
        block.copy_(shared[:, : block.shape[1]])
    hold(layer)


def split(layer: nn.Module) -> None:
    """Let a layer make two frames out of one: one out of the first half of its channels, one out of the second."""
    channels = layer.weight.shape[1]
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    for frame, half in enumerate(torch.arange(channels).chunk(PAIR)):
        layer.weight[frame * channels + torch.arange(len(half)), half, -1] = 1
    hold(layer, frames=PAIR)


def edges() -> Tensor:
    """Return kernels (9, 12, 3, 3) for features of a cell that, each moved by a tap, sum up to edges of the gray frame.

    Nearest-neighbour enlargement makes the four pixels of a cell alike, and a kernel cannot tell them apart, so their
    detail gets back in place only nearly. These features come closest to the difference of every pixel to the mean
    around it, over pictures whose pixels correlate the less the farther they are apart.
    """
    pictures = torch.eye(AROUND**2, dtype=torch.float64).view(-1, 1, AROUND, AROUND)
    places = torch.eye(AROUND**2).view(-1, AROUND, AROUND).nonzero()[:, 1:].double()
    likeness = CORRELATION ** torch.cdist(places, places)
    middle = (..., slice(AROUND // 2 - 1, AROUND // 2 + 1), slice(AROUND // 2 - 1, AROUND // 2 + 1))
    cells = F.unfold(F.pixel_unshuffle(pictures, 2), 3, padding=1).unflatten(2, (AROUND // 2, AROUND // 2))
    moved = F.unfold(F.interpolate(cells, scale_factor=2), 3, padding=1).unflatten(2, (AROUND, AROUND))
    seen = moved[middle].flatten(2)
    wanted = (pictures - F.avg_pool2d(pictures, 3, 1, 1))[middle].flatten(1)
    matrix = torch.einsum("aip,ab,bjp->ij", seen, likeness, seen)
    vector = torch.einsum("aip,ab,bp->i", seen, likeness, wanted)
    pixels = torch.linalg.solve(matrix + NOISE * torch.eye(len(matrix)), vector).float().view(len(HAAR), 3, 3, TAPS)
    strength = torch.tensor([1, DETAIL, DETAIL, DETAIL])
    kernels = torch.einsum("pyxk,bp->kbyx", pixels, 4 * HAAR.flatten(1) / strength[:, None])
    return kernels.repeat_interleave(COLORS, 1) / COLORS


def both(channels: int) -> Tensor:
    """Return kernels (2 channels, channels, 3, 1, 1) for the last two of three frames."""
    identity = torch.eye(channels)[:, :, None, None, None]
    return torch.cat([F.pad(identity, (0, 0, 0, 0, 1, 1)), F.pad(identity, (0, 0, 0, 0, 2, 0))])


def hold(layer: nn.Module, *, frames: int = 1) -> None:
    """Make a layer's last channel constant and as long as the others, in each of the `frames` it makes out of one."""
    channels = len(layer.weight) // frames
    layer.weight[channels - 1 :: channels] = 0
    layer.bias[channels - 1 :: channels] = channels**0.5
