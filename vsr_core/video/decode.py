"""Open a video file and decode it frame by frame, noticing damage and a missing end."""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

from ..errors import VideoError

EXACT_LENGTH = ("mov", "avi")
"""Formats whose header states the exact length of the video stream."""


@contextmanager
def open_video(path: Path) -> Iterator[tuple]:
    """Yield the opened container and its video stream; raise VideoError if there is none to read."""
    import av

    if not path.exists():
        raise VideoError(f"{path} does not exist. Check the name.")
    try:
        container = av.open(f"file:{path}")
    except (av.FFmpegError, OSError) as error:
        reason = error.strerror or error
        raise VideoError(f"{path} cannot be opened as a video: {reason}. It is empty, cut off or no video.") from error
    with container:
        cover = av.stream.Disposition.attached_pic
        pictures = [s for s in container.streams.video if not s.disposition & cover]
        if not pictures:
            kind = "only sound" if container.streams.audio else "neither pictures nor sound"
            raise VideoError(f"{path} contains {kind}; a video with at least one frame is needed.")
        if pictures[0].codec_context is None:
            raise VideoError(f"{path} is coded in an unknown way. Convert it to H.264 first.")
        yield container, pictures[0]


def file_start(container) -> Fraction:
    """Return the time stamp that counts as second 0: where the file's first stream starts, but not below 0.

    Sound that starts before 0 (encoder delay) does not shift the pictures.
    """
    streams = [*container.streams.video, *container.streams.audio]
    starts = [s.start_time * s.time_base for s in streams if s.start_time is not None and s.time_base]
    return max(min(starts, default=Fraction(0)), Fraction(0))


def decode_frames(container, stream, path: Path, *, whole: bool = True) -> Iterator:
    """Yield every `av.VideoFrame` in display order, from where `container` stands; without `whole` that is midway.

    Raises VideoError, naming the frame reached, where data is unreadable or ends before the header says so.
    """
    import av

    count, length = 0, _Length(container, stream)
    try:
        for packet in container.demux([*container.streams.video, *container.streams.audio]):
            length.note(packet)
            repeats = packet.size == 0 and packet.pts is not None  # "show the last frame again" in Theora
            if packet.stream.index != stream.index or repeats:
                continue
            for frame in packet.decode():
                yield frame
                count += 1
            if packet.is_corrupt:
                raise damage(path, count, "the data of the next frame is cut off")
    except (av.FFmpegError, OSError) as error:
        raise damage(path, count, error.strerror or str(error)) from error
    if count == 0:
        raise VideoError(f"{path} contains no frame that can be decoded.")
    if whole and length.is_short():
        raise damage(path, count, "the file ends before the length its header states")


def damage(path: Path, count: int, reason: str) -> VideoError:
    """Return the error for a file of which only `count` frames can be decoded."""
    advice = "Repair it, for example by converting it with FFmpeg"
    if count:
        advice += f", or ask for its first {count} frames only"
    return VideoError(f"{path} is damaged at frame {count}: {reason}. {advice}.")


class _Length:
    """Compares the length a file's header states with what was read."""

    def __init__(self, container, stream):
        self.stream = stream
        self.frame = 1 / (stream.average_rate or stream.guessed_rate or Fraction(24))
        self.expected, self.tolerance = stated_end(container, stream), self.frame * Fraction(3, 4)
        self.every_stream = False
        if self.expected is None and "matroska" in container.format.name and container.duration:
            self.every_stream, self.tolerance = True, Fraction(1)
            self.expected = Fraction((container.start_time or 0) + container.duration, 1_000_000)
        elif "matroska" in container.format.name:
            self.tolerance = 2 * self.frame
        self.counted = container.format.name == "avi"
        self.reached, self.packets, self.longest = Fraction(0), 0, Fraction(0)

    def note(self, packet) -> None:
        self.packets += packet.stream.index == self.stream.index and packet.size > 0
        stamp = packet.dts if packet.pts is None else packet.pts
        if stamp is not None and (self.every_stream or packet.stream.index == self.stream.index):
            end = (stamp + (packet.duration or 0)) * packet.time_base
            if not packet.duration and self.tolerance == 2 * self.frame:
                self.longest = max(self.longest, end - self.reached)
            self.reached = max(self.reached, end)

    def is_short(self) -> bool:
        """Both time and count must fall short: edit lists drop packets, some packets have no duration.

        Where those of Matroska have none, a missing end may be the last frame, shown as long as any before.
        Of a cut AVI file FFmpeg shortens the time to what is there, but not the count, which may be one too high.
        """
        if self.counted:
            return self.packets + 1 < self.stream.frames
        if self.expected is None or self.packets >= self.stream.frames > 0:
            return False
        return self.expected - self.reached >= max(self.tolerance, self.longest)


def stated_end(container, stream) -> Fraction | None:
    """Return the end of the video stream as its header states it, None where headers are only estimates."""
    if container.format.name.startswith(EXACT_LENGTH) and stream.duration:
        return ((stream.start_time or 0) + stream.duration) * stream.time_base
    clock = stream.metadata.get("DURATION", "")
    if "matroska" in container.format.name and clock.count(":") == 2:
        hours, minutes, seconds = clock.split(":")
        return int(hours) * 3600 + int(minutes) * 60 + Fraction(seconds)
    return None
