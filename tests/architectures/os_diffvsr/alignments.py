"""Alignments with known motion, and networks for tests."""

import torch
from torch import Tensor

from vsr_core.flow import Aligned


def moved(frames: int, height: int, width: int, *, x: float = 0.0, y: float = 0.0, error: float = 0.0) -> Aligned:
    """Return the alignment of a clip in which everything moves by (x, y) pixels from frame to frame."""
    frame = torch.arange(frames)
    previous, next = (frame - 1).clamp(min=0), (frame + 1).clamp(max=frames - 1)
    motion = torch.tensor([x, y])[None, :, None, None].expand(frames, 2, height, width)
    return Aligned(
        frame=frame,
        previous=previous,
        next=next,
        previous_flow=-motion * (previous != frame)[:, None, None, None],
        next_flow=motion * (next != frame)[:, None, None, None],
        error=torch.full((frames, 1, height, width), error),
    )


def smooth(frames: int, channels: int, height: int, width: int, *, x: float = 0.0, y: float = 0.0) -> Tensor:
    """Return slow waves (T, C, H, W) in 0..1 that move by (x, y) pixels from frame to frame."""
    generator = torch.Generator().manual_seed(0)
    across, down, phase = (torch.rand(channels, 1, 1, generator=generator) for _ in range(3))
    time = torch.arange(frames)[:, None, None, None]
    columns, rows = torch.arange(width) - x * time, torch.arange(height)[:, None] - y * time
    return (torch.sin(0.2 * across * columns + 0.2 * down * rows + 6 * phase) + 1) / 2
