"""Optical flow by OpenCV's Dense Inverse Search (Kroeger et al., Fast Optical Flow using DIS, 2016)."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..errors import ClipError
from ..packages import from_package
from .protocol import check_pairs

SHORTEST_SIDE = {"ultrafast": 32, "fast": 32, "medium": 16}
"""Shortest side each preset takes, in pixels, fastest first. Below it OpenCV fails or crashes on long frames."""


@dataclass(frozen=True)
class DisFlow:
    """A preset of DIS on 8-bit grey frames. Needs no weights.

    It runs on the CPU, wherever the frames are, in OpenCV's threads; their number does not change the result.
    """

    preset: str = "fast"
    """A name of SHORTEST_SIDE."""

    def __call__(self, frames: Tensor, others: Tensor) -> Tensor:
        """Return the flow (N, 2, H, W) in pixels from `frames` to `others`, each (N, 3, H, W) in 0..1.

        Raises ClipError if a side is below SHORTEST_SIDE.
        """
        check_pairs(frames, others)
        self._check_sides(*frames.shape[-2:])
        flows = [self._calculate(frame, other) for frame, other in zip(_grey(frames), _grey(others))]
        return torch.stack(flows).permute(0, 3, 1, 2).contiguous().to(frames.device)

    def _calculate(self, frame: Any, other: Any) -> Tensor:
        cv2 = from_package("cv2", None, f"Optical flow with dis-{self.preset}")

        # A new one for every pair: on a small frame OpenCV's changes its own settings, and the next result with them.
        estimator = cv2.DISOpticalFlow_create(getattr(cv2, f"DISOPTICAL_FLOW_PRESET_{self.preset.upper()}"))
        return torch.from_numpy(estimator.calc(frame, other, None))

    def _check_sides(self, height: int, width: int) -> None:
        least, side = SHORTEST_SIDE[self.preset], min(height, width)
        if side < least:
            others = [f"dis-{preset}" for preset, shortest in SHORTEST_SIDE.items() if shortest <= side]
            raise ClipError(
                f"Optical flow with dis-{self.preset} needs frames of at least {least}x{least} pixels, got "
                f"{width}x{height}. Choose {' or '.join([*others, 'raft'])}, or enlarge the frames."
            )


def _grey(frames: Tensor) -> Any:
    """Return frames (N, 3, H, W) in 0..1 as 8-bit grey, a uint8 array (N, H, W)."""
    return (frames.float().mean(dim=1) * 255).round().clamp(0, 255).byte().cpu().numpy()
