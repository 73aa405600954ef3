"""A tiny decoder of Wan2.1's latents: the layout of TAEHV's public taew2_1 (github.com/madebyollin/taehv, MIT)."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..upsampling import enlarging_kernel
from .causal import Carry, Frames, convolve_pictures

WIDTHS = (256, 128, 64, 64)
TIME_UPSAMPLING = (1, 2, 2)
BLOCKS = 3
LIMIT = 3.0


class MemoryBlock(nn.Module):
    """Three 3x3 convolutions of a frame and the frame before it, added to the frame."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(2 * channels, channels, 3),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, 3),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, 3),
        )

    def forward(self, x: Tensor, carry: Carry) -> Tensor:
        """Keep the shape (N, H, W, C)."""
        [before] = carry.frames.get(self) or [torch.zeros_like(x)]
        carry.frames[self] = [x]
        hidden = torch.cat([x, before], -1)
        for layer in self.conv:
            hidden = layer(hidden) if isinstance(layer, nn.ReLU) else same_size(layer, hidden)
        return F.relu(hidden + x)


class Grow(nn.Module):
    """Make `factor` frames out of each by a pointwise convolution."""

    def __init__(self, channels: int, factor: int):
        super().__init__()
        self.factor = factor
        self.conv = nn.Conv2d(channels, factor * channels, 1, bias=False)

    def forward(self, x: Tensor) -> Frames:
        """Map (N, H, W, C) to frames of the same shape."""
        return [convolve_pictures(x, weight) for weight in self.conv.weight.chunk(self.factor)]


class TinyDecoder(nn.Module):
    """Decode raw latents with a few percent of the full decoder's work, and less detail.

    `decoder` holds the published tensors under their names. Its slots without tensors are those of activations and of
    the nearest-neighbour enlargement, which is computed together with the convolution after it.
    """

    def __init__(self, *, mean: Sequence[float], std: Sequence[float]):
        """Subtract `mean` from the latents and divide by `std`, per channel, before decoding."""
        super().__init__()
        self.mean, self.std = mean, std
        layers = [nn.Identity(), nn.Conv2d(len(mean), WIDTHS[0], 3), nn.Identity()]
        for width, following, factor in zip(WIDTHS, WIDTHS[1:], TIME_UPSAMPLING):
            layers += [MemoryBlock(width) for _ in range(BLOCKS)]
            layers += [nn.Identity(), Grow(width, factor), nn.Conv2d(width, following, 3, bias=False)]
        layers += [nn.Identity(), nn.Conv2d(WIDTHS[-1], 3, 3)]
        self.decoder = nn.Sequential(*layers)

    def forward(self, latent: Tensor, carry: Carry | None = None) -> Tensor:
        """Map latents (N, C, T, H, W) to pictures (N, 3, T', 8 H, 8 W) around -1..1, not clamped.

        They are the next of the shot that `carry` has seen, which it keeps track of; None: a whole shot.
        A shot's first latent is one picture, each of the others four.
        """
        return torch.stack(list(self.stream(latent, carry)), 2)

    def stream(self, latent: Tensor, carry: Carry | None = None) -> Iterator[Tensor]:
        """Yield the frames (N, 3, 8 H, 8 W) of what `forward` returns, holding little more than the carry."""
        carry = Carry() if carry is None else carry
        too_many = 0 if carry else torch.Size(TIME_UPSAMPLING).numel() - 1  # a first latent's pictures but the last
        frames: Iterable[Tensor] = map(self._begun, latent.unbind(2))
        for first in range(3, len(self.decoder) - 2, BLOCKS + 3):
            frames = self._level(first, frames, carry)
        return (self._ended(frame) for frame in islice(frames, too_many, None))

    def _begun(self, latent: Tensor) -> Tensor:
        x = latent.permute(0, 2, 3, 1).float()
        limited = torch.tanh((x - x.new_tensor(self.mean)) / x.new_tensor(self.std) / LIMIT) * LIMIT
        return F.relu(same_size(self.decoder[1], limited.to(latent.dtype)))

    def _level(self, first: int, frames: Iterable[Tensor], carry: Carry) -> Iterator[Tensor]:
        """Yield frames of twice the size, one or two for each, of the level that begins with layer `first`."""
        blocks = self.decoder[first : first + BLOCKS]
        grow, conv = self.decoder[first + BLOCKS + 1 : first + BLOCKS + 3]
        for x in frames:
            for block in blocks:
                x = block(x, carry)
            for frame in grow(x):
                large = F.conv_transpose2d(
                    frame.permute(0, 3, 1, 2), enlarging_kernel(conv.weight), stride=2, padding=1
                )
                yield large.permute(0, 2, 3, 1)

    def _ended(self, x: Tensor) -> Tensor:
        picture = same_size(self.decoder[-1], F.relu(x))
        return picture.permute(0, 3, 1, 2) * 2 - 1


def same_size(conv: nn.Conv2d, x: Tensor) -> Tensor:
    """Convolve pictures (N, H, W, C), with zeros beside them."""
    return convolve_pictures(x, conv.weight, conv.bias)
