"""The packets of segments as those of one stream."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from fractions import Fraction
from functools import cached_property
from pathlib import Path

from ..errors import VideoError
from .reorder import packet_stamps

TAG = {"hevc": "hvc1"}
"""What .mp4 and .mov call a codec where FFmpeg's own choice does not play everywhere."""


@dataclass(frozen=True)
class SegmentHeader:
    """What the packets of a segment mean. Segments can be joined if theirs are equal."""

    codec: str
    size: tuple[int, int]
    pixel_format: str
    shape: Fraction
    """Of a pixel: width by height."""
    tick: Fraction
    rate: Fraction
    extradata: bytes | None


class JoinedPictures:
    """Segments of one video, in order."""

    def __init__(self, segments: Sequence[Path]):
        """Read their headers and stamps; raise VideoError for segments that do not fit together."""
        self.segments = segments
        self.times: list[Fraction] = []
        self.header: SegmentHeader | None = None
        for path in segments:
            with open_segment(path) as (stream, header, origin):
                self._check(path, header)
                self.times += [(origin + packet.pts) * header.tick for packet in segment_packets(stream, path)]

    def _check(self, path: Path, header: SegmentHeader) -> None:
        self.header = self.header or header
        for field in fields(header):
            first, own = getattr(self.header, field.name), getattr(header, field.name)
            if first != own:
                said = f": {own} instead of {first}" if field.name != "extradata" else ""
                raise VideoError(
                    f"{path} is coded differently from {self.segments[0]} ({field.name}{said}) and cannot be joined "
                    "to it. Write all segments anew, with one version of FFmpeg."
                )

    @cached_property
    def start(self) -> Fraction:
        """Seconds at which the first frame is shown."""
        return min(self.times)

    @cached_property
    def end(self) -> Fraction:
        """Seconds until which the last frame is shown."""
        return max(self.times) + 1 / self.header.rate

    def add_to(self, output, *, tick: Fraction):
        """Add a stream like that of the segments to `output`, in units of `tick`; return it."""
        with open_segment(self.segments[0]) as (stream, header, _):
            added = output.add_stream_from_template(stream, opaque=True)
            tag = stream.codec_context.codec_tag if stream.codec_context.name == "prores" else TAG.get(header.codec)
        added.time_base = tick
        added.codec_context.framerate = header.rate
        if header.shape != 1:
            added.codec_context.sample_aspect_ratio = header.shape
        if tag is not None and "matroska" not in output.format.name:
            added.codec_context.codec_tag = tag
        return added

    def packets(self, stream, *, origin: Fraction) -> Iterator:
        """Yield every packet for the output `stream`, whose second 0 is second `origin` of the segments."""
        tick = stream.time_base
        times = [time - origin for time in self.times]
        stamps = iter(packet_stamps(times, tick, 1 / self.header.rate))
        for path in self.segments:
            with open_segment(path) as (own, _, _):
                for packet in segment_packets(own, path):
                    packet.pts, packet.dts, packet.duration = next(stamps)
                    packet.time_base, packet.stream = tick, stream
                    yield packet


@contextmanager
def open_segment(path: Path) -> Iterator[tuple]:
    """Yield the video stream, header and first tick of a finished segment; raise VideoError if it is none."""
    import av

    try:
        container = av.open(f"file:{path}")
    except (av.FFmpegError, OSError) as error:
        raise VideoError(f"The segment {path} cannot be read: {error.strerror or error}. Write it again.") from error
    with container:
        tags = container.metadata
        if not {"TICK", "ORIGIN", "RATE", "SHAPE"} <= tags.keys():
            raise VideoError(f"{path} is no segment: it does not say when it is shown. Write it again.")
        yield container.streams.video[0], _header(container.streams.video[0], tags), int(tags["ORIGIN"])


def _header(stream, tags: dict[str, str]) -> SegmentHeader:
    codec = stream.codec_context
    return SegmentHeader(
        codec=codec.name,
        size=(codec.height, codec.width),
        pixel_format=codec.pix_fmt,
        shape=Fraction(tags["SHAPE"]),
        tick=Fraction(tags["TICK"]),
        rate=Fraction(tags["RATE"]),
        extradata=codec.extradata,
    )


def segment_packets(stream, path: Path) -> Iterator:
    """Yield the packets of a segment's stream in the order of decoding; raise VideoError where it is damaged."""
    import av

    try:
        yield from (packet for packet in stream.container.demux(stream) if packet.size)
    except (av.FFmpegError, OSError) as error:
        raise VideoError(f"The segment {path} is damaged: {error.strerror or error}. Write it again.") from error
