"""Copy the sound of a file packet by packet, without decoding it."""

from fractions import Fraction
from pathlib import Path

from ..errors import VideoError


class AudioCopy:
    """Every audio stream of `source`, carried into an output container beside its pictures."""

    def __init__(self, source: Path, output, *, target: Path):
        """Add the streams to `output`; raise VideoError if its format cannot hold their codec."""
        import av

        self.input = av.open(f"file:{source}")
        self.streams = {}
        self.waiting = None
        for stream in self.input.streams.audio:
            try:
                self.streams[stream.index] = output.add_stream_from_template(stream)
            except (ValueError, av.FFmpegError) as error:
                self.input.close()
                raise VideoError(
                    f"Sound coded as {stream.codec_context.name} cannot be stored in a {target.suffix} file. "
                    "Write to .mkv, which holds almost any sound, or leave the sound out."
                ) from error
        self.output = output
        self.packets = iter(self.input.demux(list(self.input.streams.audio)))

    def copy(self, *, until: Fraction | None, shift: Fraction, cut: bool) -> None:
        """Copy packets that start before `until` (None: all the rest), `shift` seconds earlier.

        `until` is a time of the output. With `cut`, packets that would start before 0 are left out.
        """
        while (packet := self.waiting or next(self.packets, None)) is not None:
            self.waiting = None
            if packet.dts is None:
                continue
            time = (packet.dts if packet.pts is None else packet.pts) * packet.time_base - shift
            if until is not None and time >= until:
                self.waiting = packet
                return
            if not cut or time >= 0:
                self._mux(packet, round(shift / packet.time_base))

    def _mux(self, packet, ticks: int) -> None:
        target = self.streams[packet.stream.index]
        packet.dts -= ticks
        packet.pts = packet.dts if packet.pts is None else packet.pts - ticks
        packet.stream = target
        self.output.mux(packet)

    def close(self) -> None:
        """Close the file the sound comes from."""
        self.input.close()
