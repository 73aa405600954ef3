"""Copy sound and subtitles packet by packet, without decoding them."""

from collections.abc import Sequence
from fractions import Fraction

from ..errors import VideoError
from .labels import copy_labels


class Tracks:
    """Streams of an opened file, carried into an output container beside its pictures. Times are the output's."""

    def __init__(
        self,
        container,
        streams: Sequence,
        output,
        *,
        shift: Fraction,
        cut: bool,
        end: Fraction | None = None,
        damaged: bool = False,
    ):
        """Add `streams` of `container` to `output`; their packets are written `shift` seconds earlier.

        With `cut`, sound that would start before 0 is left out, and subtitles that last until after 0 start there.
        Nothing starts or is shown after `end`. With `damaged`, an error in reading is where they end.
        """
        self.output, self.shift, self.cut, self.end, self.damaged = output, shift, cut, end, damaged
        self.name, self.waiting = container.name.removeprefix("file:"), None
        self.streams = {stream.index: _added(output, stream) for stream in streams}
        self.packets = iter(container.demux(list(streams))) if streams else iter(())

    def copy(self, *, until: Fraction | None = None) -> None:
        """Copy the packets that start before `until` (None: all the rest)."""
        while (packet := self.waiting or self._next()) is not None:
            self.waiting = None
            if packet.dts is None or (self.damaged and packet.is_corrupt):
                continue
            time = (packet.dts if packet.pts is None else packet.pts) * packet.time_base - self.shift
            if until is not None and time >= until:
                self.waiting = packet
                return
            self._mux(packet, time)

    def _next(self):
        import av

        try:
            return next(self.packets, None)
        except (av.FFmpegError, OSError) as error:
            if self.damaged:
                return None
            reason = error.strerror or error
            raise VideoError(f"The sound of {self.name} cannot be read to its end: {reason}. Repair it.") from error

    def _mux(self, packet, time: Fraction) -> None:
        stays = packet.stream.type == "subtitle" and packet.duration
        until = time + (packet.duration or 0) * packet.time_base
        if (self.end is not None and time >= self.end) or (self.cut and time < 0 and not (stays and until > 0)):
            return
        ticks = round(self.shift / packet.time_base)
        packet.dts -= ticks
        packet.pts = packet.dts if packet.pts is None else packet.pts - ticks
        if stays and (self.cut or self.end is not None):
            begin, until = max(time, Fraction(0)), until if self.end is None else min(until, self.end)
            packet.pts = packet.dts = round(begin / packet.time_base)
            packet.duration = round(until / packet.time_base) - packet.pts
        packet.stream = self.streams[packet.stream.index]
        self.output.mux(packet)


def _added(output, stream):
    added = output.add_stream_from_template(stream, opaque=True)
    copy_labels(stream, added)
    return added
