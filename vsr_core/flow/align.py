"""Where each pixel of a clip's frames is found in the frames before and after, and how well that fits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from ..clip import check_clip
from .occlusion import visible
from .protocol import FlowEstimator, check_flow
from .warp import warp

PAIRS_AT_ONCE = 8
"""Pairs of frames given to an estimator in one call."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Aligned:
    """How `n` frames of a clip are found in their neighbours. All tensors are on one device."""

    frame: Tensor
    """int64 (n,): the frame's index in the clip."""
    previous: Tensor
    """int64 (n,): index of the frame before it; its own where there is none, at the clip's start and after a cut."""
    next: Tensor
    """int64 (n,): index of the frame after it; its own where there is none, at the clip's end and before a cut."""
    previous_flow: Tensor
    """float32 (n, 2, H, W): from the frame to the previous one, x and y in pixels; 0 where there is none."""
    next_flow: Tensor
    """float32 (n, 2, H, W): from the frame to the next one, x and y in pixels; 0 where there is none."""
    error: Tensor
    """float32 (n, 1, H, W): |warped previous - frame|_1 + |warped next - frame|_1 over the channels of frames in 0..1,
    so 0..6, and infinite where a neighbour hides the pixel, if that was asked for."""

    def __len__(self) -> int:
        return len(self.frame)

    def __getitem__(self, frames: slice) -> "Aligned":
        return self._each(lambda value: value[frames])

    def to(self, device: torch.device | str) -> "Aligned":
        """Return the same on another device."""
        return self._each(lambda value: value.to(device))

    def shifted(self, offset: int) -> "Aligned":
        """Return the same frames of a clip in which every index is larger by `offset`."""
        return replace(self, frame=self.frame + offset, previous=self.previous + offset, next=self.next + offset)

    def confidence(self, alpha: float) -> Tensor:
        """Return exp(-alpha * error), (n, 1, H, W) in 0..1: 1 where the neighbours fit, 0 where one is hidden.

        Source: OS-DiffVSR, equation 14, before the threshold.
        """
        return torch.exp(-alpha * self.error).masked_fill(self.error.isinf(), 0)

    def _each(self, change: Callable[[Tensor], Tensor]) -> "Aligned":
        return Aligned(**{field.name: change(getattr(self, field.name)) for field in fields(self)})


def join(parts: Sequence[Aligned]) -> Aligned:
    """Return the frames of all `parts`, at least one, in order. Their indices must count in the same clip."""
    names = [field.name for field in fields(Aligned)]
    return Aligned(**{name: torch.cat([getattr(part, name) for part in parts]) for name in names})


def align(clip: Tensor, estimator: FlowEstimator, *, occlusion: bool = False) -> Aligned:
    """Align all frames of `clip` (T, 3, H, W) in 0..1, which is one shot, with their neighbours.

    With `occlusion`, the error is infinite where a pixel cannot be seen in a neighbour (`occlusion.visible`). At most
    PAIRS_AT_ONCE pairs go to the estimator in one call, so that it can report progress and stop.
    Raises ClipError if `clip` is none, or if the estimator's flow is not finite or not (N, 2, H, W).
    """
    count = len(check_clip(clip))
    frame = torch.arange(count, device=clip.device)
    previous_flow, next_flow, error = (
        clip.new_zeros((count, channels, *clip.shape[-2:]), dtype=torch.float32) for channels in (2, 2, 1)
    )
    for start in range(0, count - 1, PAIRS_AT_ONCE):
        stop = min(start + PAIRS_AT_ONCE, count - 1)
        here, after = slice(start, stop), slice(start + 1, stop + 1)
        frames, others = clip[here], clip[after]
        next_flow[here] = flow = check_flow(estimator(frames, others), frames)
        previous_flow[after] = back = check_flow(estimator(others, frames), others)
        error[here] += _difference(frames, others, flow, back if occlusion else None)
        error[after] += _difference(others, frames, back, flow if occlusion else None)
    return Aligned(
        frame=frame,
        previous=(frame - 1).clamp(min=0),
        next=(frame + 1).clamp(max=count - 1),
        previous_flow=previous_flow,
        next_flow=next_flow,
        error=error,
    )


def warped_neighbours(clip: Tensor, aligned: Aligned) -> tuple[Tensor, Tensor]:
    """Return the previous and the next neighbour of each frame, warped to it: two times (n, C, H, W).

    `clip` (T, C, H, W) is what `aligned` describes, or latents of it with flow in their cells, on the same device. A
    frame without a neighbour stands in for it, unchanged.
    """
    frames = clip[aligned.frame]

    def warped(index: Tensor, flow: Tensor) -> Tensor:
        alone = (index == aligned.frame)[:, None, None, None]
        return torch.where(alone, frames, warp(clip[index], flow))

    return warped(aligned.previous, aligned.previous_flow), warped(aligned.next, aligned.next_flow)


def _difference(frames: Tensor, others: Tensor, flow: Tensor, back: Tensor | None) -> Tensor:
    """Return the L1 norm over channels of warped `others` - `frames`, (N, 1, H, W), given the flow between them.

    Infinite where a pixel cannot be seen in the other frame, if the flow `back` is given as well.
    """
    difference = (warp(others.float(), flow) - frames.float()).abs().sum(dim=1, keepdim=True)
    return difference if back is None else difference.masked_fill(~visible(flow, back), torch.inf)
