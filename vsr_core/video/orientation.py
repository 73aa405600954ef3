"""Turn stored pictures upright: the display matrix of videos, the EXIF orientation of photographs."""

import struct
from typing import NamedTuple

from torch import Tensor


class Orientation(NamedTuple):
    """Swap rows and columns, then mirror left-right, then top-bottom."""

    transpose: bool = False
    mirror_x: bool = False
    mirror_y: bool = False

    @property
    def degrees(self) -> int:
        """Clockwise turn in 0, 90, 180, 270; mirroring left aside."""
        if self.transpose:
            return 90 if self.mirror_x else 270
        return 180 if self.mirror_y else 0


UPRIGHT = Orientation()

EXIF = {
    1: UPRIGHT,
    2: Orientation(False, True, False),
    3: Orientation(False, True, True),
    4: Orientation(False, False, True),
    5: Orientation(True, False, False),
    6: Orientation(True, True, False),
    7: Orientation(True, True, True),
    8: Orientation(True, False, True),
}
"""Orientation by the value of EXIF tag 274."""

BY_DEGREES = {0: EXIF[1], 90: EXIF[6], 180: EXIF[3], 270: EXIF[8]}


def frame_orientation(frame) -> Orientation:
    """Return how a decoded `av.VideoFrame` must be turned, from its display matrix."""
    try:
        matrix = frame.side_data.get("DISPLAYMATRIX")
    except ValueError:  # PyAV lists no frame whose side data has a kind it does not know yet
        return BY_DEGREES[round(-frame.rotation / 90) * 90 % 360]
    if matrix is None:
        return UPRIGHT
    a, b, _, c, d = struct.unpack("=5i", bytes(matrix)[:20])
    if abs(b) > abs(a):
        return Orientation(True, c < 0, b < 0)
    return Orientation(False, a < 0, d < 0)


def turn_upright(picture: Tensor, orientation: Orientation) -> Tensor:
    """Return (C, H, W) as it is to be shown."""
    if orientation.transpose:
        picture = picture.transpose(-1, -2)
    mirrored = [axis for axis, flag in ((-1, orientation.mirror_x), (-2, orientation.mirror_y)) if flag]
    return picture.flip(mirrored).contiguous() if mirrored else picture.contiguous()
