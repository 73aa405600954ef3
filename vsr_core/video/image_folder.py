"""Write frames as PNG files into a folder."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..errors import VideoError
from .encode import check_frame
from .images import image_files
from .info import VideoInfo
from .partial import write_error


class ImageFolder:
    """Writes one PNG per frame: 16 bits a channel if the source has more than 8, with alpha where given.

    Files are named like those of a source folder, else frame_000001.png and so on.
    """

    def __init__(
        self, folder: Path, target: Path, *, height: int, width: int, source: VideoInfo | None, first: int = 0
    ):
        """Write into `folder`, which exists; errors name `target`. `first` frames are written elsewhere before."""
        self.folder, self.target, self.size, self.source = folder, target, (height, width), source
        self.deep = source is not None and source.bit_depth > 8
        self.names = _source_names(source)
        self.first, self.written = first, 0

    def write(self, image: Tensor, time: Fraction, alpha: Tensor | None = None) -> None:
        """Append RGB (3, H, W) and alpha (1, H, W), both in 0..1, shown from `time` (seconds of the source).

        Raises ClipError for a wrong size or values that are not finite; VideoError if writing fails.
        """
        check_frame(image, self.size, time)
        file = self.folder / f"{self._name(time)}.png"
        picture = image if alpha is None else torch.cat([image, alpha.to(image)])
        try:
            with file.open("xb") as out:
                out.write(encode_png(picture, deep=self.deep))
        except OSError as error:
            raise write_error(self.target, error) from error
        self.written += 1

    def _name(self, time: Fraction) -> str:
        number = round(time * self.source.frame_rate) if self.names else 0
        return self.names[number] if number < len(self.names) else f"frame_{self.first + self.written + 1:06d}"

    def finish(self) -> None:
        """Raise VideoError if no frame was written."""
        if not self.written:
            raise VideoError(f"{self.target} was not written: there was no frame to write.")

    def abort(self) -> None:
        """Nothing is open between two frames."""


def _source_names(source: VideoInfo | None) -> list[str]:
    files = image_files(source.path) if source is not None and source.is_folder else []
    names = [file.stem for file in files]
    return names if len(set(names)) == len(names) else []


def encode_png(picture: Tensor, *, deep: bool) -> bytes:
    """Return a PNG file of (3 or 4, H, W) in 0..1, with 8 bits a channel or (`deep`) 16."""
    import av

    top, dtype = (65535, np.uint16) if deep else (255, np.uint8)
    channels, height, width = picture.shape
    codes = (picture.float().clamp(0, 1) * top).round().permute(1, 2, 0).contiguous().cpu().numpy()
    names = {3: ("rgb24", "rgb48be"), 4: ("rgba", "rgba64be")}
    codec = av.CodecContext.create("png", "w")
    codec.pix_fmt, codec.height, codec.width = names[channels][deep], height, width
    codec.time_base, codec.thread_count = Fraction(1, 24), 1
    frame = av.VideoFrame.from_ndarray(codes.astype(dtype), format=codec.pix_fmt)
    return b"".join(bytes(packet) for packet in [*codec.encode(frame), *codec.encode(None)])
