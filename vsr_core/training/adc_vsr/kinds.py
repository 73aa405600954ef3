"""The five kinds of clips that the discriminators learn from, made of frames that are each looked at once."""

from collections.abc import Iterable

import torch
from torch import Tensor

from ...errors import SettingError
from ...schedulers.noise import generator
from .losses import KINDS


def unlike_orders(count: int, seed: int, items: Iterable[int]) -> Tensor:
    """Draw an order of `count` frames, never their own, for each item: (B, count). Depends on (seed, item) alone.

    Raises SettingError for a single frame, which has no other order.
    """
    if count < 2:
        raise SettingError("A clip of one frame cannot be shuffled; use 2 frames or more.")
    return torch.stack([_unlike_order(count, generator(seed, item)) for item in items])


def arrange_kinds(orders: Tensor) -> Tensor:
    """Return which frame stands where in the clips of KINDS, (5 B, T), for B `orders` of T frames.

    The frames are numbered as `source_frames` puts them in a row.
    """
    batch, frames = orders.shape
    own = own_places(batch, frames)
    video = own + batch * frames
    image = torch.arange(batch)[:, None].expand(batch, frames) + 2 * batch * frames
    kinds = {
        "student": own,
        "video": video,
        "shuffled video": video.gather(1, orders),
        "repeated image": image,
        "unrelated images": own + 2 * batch * frames + batch,
    }
    return torch.cat([kinds[name] for name in KINDS])


def own_places(batch: int, frames: int) -> Tensor:
    """Return which frame stands where, (B, T), in clips as they are."""
    return torch.arange(batch * frames).view(batch, frames)


def source_frames(student: Tensor, video: Tensor, image: Tensor, others: Tensor) -> Tensor:
    """Return all frames (3 B T + B, C, H, W) of clips (B, T, C, H, W), one of T = 1, in a row."""
    return torch.cat([clip.flatten(0, 1).float() for clip in (student, video, image, others)])


def _unlike_order(count: int, draws: torch.Generator) -> Tensor:
    order = own = torch.arange(count)
    while torch.equal(order, own):
        order = torch.randperm(count, generator=draws)
    return order
