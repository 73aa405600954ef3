"""A network that is called as RAFT is and finds whole-pixel translations."""

from itertools import product

import torch
from torch import Tensor, nn

FARTHEST, SIDE = 4, 64


class Translation(nn.Module):
    """Tries every translation of up to FARTHEST pixels on a square of SIDE pixels; `seen` keeps what it was given."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))
        self.seen: list[Tensor] = []

    def forward(self, images: Tensor, others: Tensor) -> list[Tensor]:
        self.seen += [images, others]
        steps = range(-FARTHEST, FARTHEST + 1)
        shifts = torch.tensor(list(product(steps, steps)), device=images.device)
        found = [square(others, x, y) - square(images) for x, y in shifts.tolist()]
        best = shifts[torch.stack(found).abs().mean((2, 3, 4)).argmin(0)].to(images.dtype)
        flow = best[:, :, None, None].expand(-1, -1, *images.shape[-2:]) * self.weight
        return [torch.zeros_like(flow), flow]


def square(images: Tensor, x: int = 0, y: int = 0) -> Tensor:
    return images[..., FARTHEST + y : FARTHEST + y + SIDE, FARTHEST + x : FARTHEST + x + SIDE]
