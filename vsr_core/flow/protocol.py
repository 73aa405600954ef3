"""What every optical flow estimator takes and gives."""

from typing import Protocol

from torch import Tensor

from ..clip import check_clip
from ..errors import ClipError


class FlowEstimator(Protocol):
    """Finds where pixels move. Any function of this shape will do."""

    def __call__(self, frames: Tensor, others: Tensor) -> Tensor:
        """Return the flow from `frames` to `others`: float32 (N, 2, H, W) on their device, x and y in pixels.

        Both are (N, 3, H, W) in 0..1. Pixel p of a frame is found at p + flow(p) in the other one.
        """


def check_pairs(frames: Tensor, others: Tensor) -> None:
    """Raise ClipError unless `frames` and `others` are clips (N, 3, H, W) of one shape."""
    check_clip(frames)
    check_clip(others)
    if frames.shape != others.shape:
        raise ClipError(
            f"Optical flow needs pairs of frames of one size, got {tuple(frames.shape)} and {tuple(others.shape)}."
        )


def check_flow(flow: Tensor, frames: Tensor) -> Tensor:
    """Return `flow` unchanged if it is finite and (N, 2, H, W) for `frames` (N, 3, H, W); raise ClipError otherwise."""
    expected = (len(frames), 2, *frames.shape[-2:])
    if tuple(flow.shape) != expected:
        raise ClipError(f"The optical flow estimator gave {tuple(flow.shape)}; expected (N, 2, H, W) = {expected}.")
    if not flow.isfinite().all():
        raise ClipError(
            "The optical flow estimator gave NaN or infinity: its weights are damaged, or it computed in a dtype too "
            "small for it. Use float32, or choose dis-medium."
        )
    return flow
