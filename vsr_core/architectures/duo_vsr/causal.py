"""Convolution over time that sees no future frame, with the last frames carried over from call to call.

A stretch of video is a list of frames (N, H, W, C), each a tensor of its own: what is carried over is then kept without
a copy, a frame is a channels-last picture, and a pointwise layer is a matrix product.
A layer empties the list that it is given, so that no frame is kept longer than it is needed.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Frames = list[Tensor]

TAPS = 3
"""Frames that one output frame depends on: itself and the two before it."""
SHARED = 4
"""Frames that share their products in `by_fours`."""
BAND, LEAST_ROWS = 2**20, 8
"""Numbers that `by_fours` works on together, so that they stay in the cache of a processor; and rows at least."""
PIXELS = 2**19
"""Pixels of a picture that keep a GPU busy; more frames at once would only cost memory."""


class Carry:
    """What each layer keeps of the frames that it has seen of a shot; false as long as it has seen none."""

    def __init__(self):
        self.frames: dict[nn.Module, Frames] = {}

    def __bool__(self) -> bool:
        return bool(self.frames)

    def keep(self, layer: nn.Module, frames: Frames) -> None:
        """Keep `frames` for `layer`: on a CPU a copy that stays in its place, so that memory is not fragmented."""
        if torch.is_grad_enabled() or frames[0].device.type != "cpu":
            self.frames[layer] = frames
            return
        kept = self.frames.get(layer, [])
        if len(kept) != len(frames):
            kept = room(len(frames), frames[0])
        self.frames[layer] = [place.copy_(frame) for place, frame in zip(kept, frames)]

    def to(self, device: torch.device | str) -> "Carry":
        """Move it, in place."""
        for layer, frames in self.frames.items():
            self.frames[layer] = [frame.to(device) for frame in frames]
        return self


class CausalConv(nn.Module):
    """Convolve each frame and the two before it; frames before the shot are zero, and so is what is beside a picture.

    Holds `weight` (C_out, C_in, 3, size, size) and `bias` (C_out,).
    """

    def __init__(self, channels_in: int, channels_out: int, *, size: int):
        super().__init__()
        conv = nn.Conv3d(channels_in, channels_out, (TAPS, size, size))
        self.weight, self.bias = conv.weight, conv.bias

    def forward(self, frames: Sequence[Tensor]) -> Frames:
        """Map the T + 2 frames (N, H, W, C_in) of `convolve_next`, or a first one, to T frames (N, H, W, C_out)."""
        if len(frames) == 1:
            return [convolve_pictures(frames[0], self.weight[:, :, -1], self.bias)]
        fours = (len(frames) - TAPS + 1) // SHARED if shares_products(frames[0]) else 0
        kernels = shared_kernels(self.weight) if fours else []
        done: Frames = []
        for _ in range(fours):
            done += by_fours(frames[len(done) : len(done) + SHARED + TAPS - 1], kernels, self.bias)
        return done + stacked(frames[len(done) :], self.weight, self.bias)


def convolve_next(conv: CausalConv, x: Iterable[Tensor], carry: Carry) -> Frames:
    """Return `conv` of the next frames of a shot, and carry their last two over to the next call.

    A shot's first frame alone is not joined with the zeros before it.
    """
    past, x = carry.frames.get(conv), list(x)
    alone = past is None and len(x) == 1
    frames = [*(past or [torch.zeros_like(x[0])] * (TAPS - 1)), *x]
    done = conv(x if alone else frames)
    carry.keep(conv, frames[1 - TAPS :])
    return done


def room(count: int, like: Tensor, channels: int | None = None) -> Frames:
    """Return uninitialised frames: on a CPU in one block, which fragments memory less; else each may be kept alone."""
    shape = (*like.shape[:-1], channels or like.shape[-1])
    if like.device.type == "cpu":
        return list(like.new_empty(count, *shape))
    return [like.new_empty(shape) for _ in range(count)]


def drained(x: Frames) -> Iterator[Tensor]:
    """Yield the frames of `x`, taking each out of it."""
    while x:
        yield x.pop(0)


def in_stretches(layer: Callable[[Frames], Frames], frames: Iterator[Tensor], *, begins: bool) -> Iterator[Tensor]:
    """Yield what `layer` makes of `frames`: a few at a time, and alone the first of a shot that `begins`."""
    while stretch := list(islice(frames, 1)):
        if not begins:
            stretch += islice(frames, frames_at_once(stretch[0]) - 1)
        begins = False
        yield from drained(layer(stretch))


def shares_products(x: Tensor) -> bool:
    """Tell whether `by_fours` may be used: it needs full float32 products (a GPU rounds them) and has no gradient."""
    return x.dtype == torch.float32 and x.device.type == "cpu" and not torch.is_grad_enabled()


def frames_at_once(x: Tensor) -> int:
    """Return how many frames like `x` (N, H, W, C) a layer should work on together."""
    return SHARED if shares_products(x) else pictures_at_once(x.shape[1] * x.shape[2])


def pictures_at_once(pixels: int) -> int:
    """Return how many frames of so many pixels a layer should work on together that does not share their products."""
    return max(1, min(SHARED, PIXELS // pixels))


def convolve_pictures(
    x: Tensor, weight: Tensor, bias: Tensor | None = None, *, stride: int = 1, padded: bool = True
) -> Tensor:
    """Convolve pictures (N, H, W, C) with `weight` (C_out, C, size, size)."""
    if weight.shape[-1] == 1:
        return F.linear(x, weight.flatten(1), bias)
    padding = weight.shape[-1] // 2 if padded else 0
    return F.conv2d(x.permute(0, 3, 1, 2), weight, bias, stride=stride, padding=padding).permute(0, 2, 3, 1)


def stacked(frames: Sequence[Tensor], weight: Tensor, bias: Tensor | None, *, step: int = 1) -> Frames:
    """Convolve T + 2 frames in time: every three, `step` apart, are the channels of one picture."""
    windows = [torch.cat(list(frames[first : first + TAPS]), -1) for first in range(0, len(frames) - TAPS + 1, step)]
    if not windows:
        return []
    pictures = windows[0] if len(windows) == 1 else torch.cat(windows)
    done = convolve_pictures(pictures, weight.transpose(1, 2).flatten(1, 2), bias)
    return [done[first : first + len(windows[0])] for first in range(0, len(done), len(windows[0]))]


def by_fours(x: Sequence[Tensor], kernels: Sequence[Tensor], bias: Tensor | None, *, band: int = BAND) -> Frames:
    """Convolve six frames to four by six 2D convolutions instead of twelve; `kernels` are those of `shared_kernels`.

    Winograd's F(4, 3) along time (Lavin and Gray, "Fast algorithms for convolutional neural networks", 2015), with 2D
    convolutions for multiplications. In float32 it rounds about twice as much as the sum of three convolutions.
    """
    height, width, channels = x[0].shape[1:]
    y = room(SHARED, x[0], len(kernels[0]))
    rows, border = max(LEAST_ROWS, band // (width * channels)), kernels[0].shape[-1] // 2
    for top in range(0, height, rows):
        bottom, first = min(top + rows, height), max(top - border, 0)
        seen = [frame[:, first : bottom + border] for frame in x]
        _fill_band([frame[:, top:bottom] for frame in y], seen, kernels, bias, skipped=top - first)
    return y


def _fill_band(
    y: Sequence[Tensor], x: Sequence[Tensor], kernels: Sequence[Tensor], bias: Tensor | None, *, skipped: int
) -> None:
    """Fill a band of the rows of the four frames; `x` has `skipped` rows more above it, and may have more below."""

    def product(index: int, z: Tensor, bias: Tensor | None = None) -> Tensor:
        return convolve_pictures(z, kernels[index], bias)[:, skipped : skipped + y[0].shape[1]]

    even, odd = torch.sub(x[4], x[2], alpha=4), torch.sub(x[3], x[1], alpha=4)
    plus, minus = product(1, even + odd, bias), product(2, even.sub_(odd))
    del even, odd
    y[2].copy_(torch.add(plus, minus, out=y[0]))
    y[3].copy_(torch.sub(plus, minus, out=y[1]))
    del plus, minus

    even, odd = x[4] - x[2], x[3] - x[1]
    plus, minus = product(3, torch.add(even, odd, alpha=2)), product(4, even.sub_(odd, alpha=2))
    del even, odd
    plus, minus = plus + minus, plus.sub_(minus)
    y[0].add_(plus)
    y[1].add_(minus, alpha=2)
    y[2].add_(plus, alpha=4)
    y[3].add_(minus, alpha=8)
    del plus, minus

    y[0].add_(product(0, (x[4] - x[2]).sub_(x[2] - x[0], alpha=4)))
    y[3].add_(product(5, (x[5] - x[3]).sub_(x[3] - x[1], alpha=4)))


def shared_kernels(weight: Tensor) -> list[Tensor]:
    """Return the six 2D kernels of `by_fours` for `weight` (C_out, C_in, 3, size, size)."""
    first, middle, last = weight.unbind(2)
    outer, wide = first + last, torch.add(first, last, alpha=4)
    return [
        first / 4,
        (outer + middle) / -6,
        (outer - middle) / -6,
        torch.add(wide, middle, alpha=2) / 24,
        torch.sub(wide, middle, alpha=2) / 24,
        last,
    ]
