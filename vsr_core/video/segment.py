"""Write one segment of a video, to be joined with others: pictures alone, at exact absolute times.

A segment is a Matroska file. Matroska stores whole milliseconds, so what is stored as a millisecond means one TICK,
and 0 means the time of the first frame, ORIGIN ticks. They are among its tags, and so are its frame RATE and the SHAPE
of its pixels, which FFmpeg stores for some codecs only. A player shows it slowed down.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path

from torch import Tensor

from .codecs import Quality
from .encode import FrameEncoder, named_errors
from .image_folder import ImageFolder
from .info import IMAGE_RATE, VideoInfo
from .partial import partial_file, partial_folder
from .time_base import fine_time_base
from .writer import Writer, finished

MILLISECOND = Fraction(1, 1000)
LONG_BEFORE = -(2**40)
"""Matroska keeps no times of decoding, but FFmpeg wants them to increase and to lie before those of showing; what x265
gives for a handful of frames does not."""


@contextmanager
def segment_writer(
    path: Path,
    *,
    height: int,
    width: int,
    source: VideoInfo,
    quality: Quality,
    sample_aspect_ratio: Fraction | None = None,
    first: int = 0,
) -> Iterator[Writer]:
    """Yield a writer of the frames of one segment; `path` appears, safely on disk, when the block ends well.

    `quality` is resolved; `path` ends in its `segment_suffix`. Times are seconds of the source. What was at `path`
    before, an earlier try, is replaced. `first` is the number of the segment's first frame in the result, for the
    names of the images of a video. The same frames give the same bytes.

    Raises what `open_writer` raises.
    """
    size = {"height": height, "width": width, "source": source}
    if quality.codec == "png":
        with (
            partial_folder(path, overwrite=True) as folder,
            finished(ImageFolder(folder, path, first=first, **size)) as images,
        ):
            yield images
        return
    picture = {**size, "quality": quality, "sample_aspect_ratio": sample_aspect_ratio}
    with partial_file(path, overwrite=True) as file, finished(SegmentFile(file, path, **picture)) as segment:
        yield segment


class SegmentFile:
    """Writes the frames of one segment into a file."""

    def __init__(
        self,
        file: Path,
        target: Path,
        *,
        source: VideoInfo | None,
        frame_rate: Fraction | None = None,
        sample_aspect_ratio: Fraction | None = None,
        **picture,
    ):
        """Open `file`; errors name `target`. `picture` are the other arguments of FrameEncoder."""
        import av

        rate = Fraction(frame_rate or (source.frame_rate if source else IMAGE_RATE))
        tick = fine_time_base(source.time_base if source else 1 / rate, rate)
        shape = sample_aspect_ratio or (source.sample_aspect_ratio if source else Fraction(1))
        self.target, self.tags = target, {"TICK": tick, "RATE": rate, "SHAPE": shape}
        self.origin, self.order = 0, LONG_BEFORE
        with named_errors(target):
            self.container = av.open(f"file:{file}", "w", format="matroska", options={"fflags": "+bitexact"})
        try:
            with named_errors(target):
                known = {"frame_rate": rate, "time_base": tick, "sample_aspect_ratio": shape}
                self.encoder = FrameEncoder(self.container, target, source=source, **known, **picture)
        except BaseException:
            self.abort()
            raise

    def write(self, image: Tensor, time: Fraction, alpha: Tensor | None = None) -> None:
        """Append RGB (3, H, W) and alpha (1, H, W), both in 0..1, shown from `time` (seconds of the source).

        Raises ClipError for a wrong size or values that are not finite; VideoError where times do not
        increase, transparency cannot be kept, or the file cannot be written.
        """
        with named_errors(self.target):
            is_first = self.encoder.last is None
            packets = self.encoder.packets(image, time, alpha)
            if is_first:
                self.origin = self.encoder.last
                self.tags["ORIGIN"] = self.origin
                self.container.metadata.update({name: str(value) for name, value in self.tags.items()})
            self._mux(packets)

    def _mux(self, packets) -> None:
        for packet in packets:
            packet.pts, packet.dts, packet.time_base = packet.pts - self.origin, self.order, MILLISECOND
            self.order += 1
            self.container.mux(packet)

    def finish(self) -> None:
        """Write what is left and close the file; raise VideoError if no frame was written."""
        with named_errors(self.target):
            self._mux(self.encoder.rest())
            self.container.close()

    def abort(self) -> None:
        """Close the unfinished file."""
        with suppress(Exception):
            self.container.close()
