"""Encode frames as H.264 (or ProRes 4444 where there is transparency) beside copied sound."""

import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from torch import Tensor

from ..errors import ClipError, SettingError, VideoError
from .audio import AudioCopy
from .color import BT709, RGB, UNSPECIFIED, ColorTags
from .info import VideoInfo
from .partial import write_error
from .picture import encode_yuv

VIDEO_SUFFIXES = (".mp4", ".mkv", ".mov")
ALPHA_SUFFIXES = (".mkv", ".mov")
NO_NEGATIVE_TIMES = (".mkv",)
"""Formats in which a sound packet before 0 (encoder delay, about 20 ms) would delay everything else."""
FINEST_TICK = 90_000
"""Time stamps are at least this fine, in ticks per second (Matroska itself keeps milliseconds)."""
LARGEST_TIMESCALE = 2**31 - 1
PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")
NEARLY_OPAQUE = 1 - 1 / 512
"""Alpha from here up is 255 in 8 bits."""


@dataclass(frozen=True, kw_only=True)
class Quality:
    """How carefully H.264 is encoded."""

    crf: int = 16
    """0 lossless, 16 hardly distinguishable from it, 51 worst."""
    preset: str = "medium"
    """Speed of x264, one of PRESETS."""

    def __post_init__(self):
        if not 0 <= self.crf <= 51 or self.preset not in PRESETS:
            raise SettingError(
                f"Quality is crf {self.crf}, preset {self.preset!r}; expected crf 0..51 and a preset out of "
                f"{', '.join(PRESETS)}."
            )


class VideoEncoder:
    """Writes one video file. Colours are converted with the matrix and range that the file is tagged with."""

    def __init__(
        self,
        file: Path,
        target: Path,
        *,
        height: int,
        width: int,
        frame_rate: Fraction,
        source: VideoInfo | None,
        trimmed: bool,
        audio: bool,
        quality: Quality,
    ):
        """Open `file`; errors name `target`. See `write.open_writer` for the rest."""
        if height % 2 or width % 2:
            raise VideoError(f"{target}: {width}x{height} frames cannot be encoded, H.264 needs even sizes.")
        self.target, self.size, self.frame_rate, self.trimmed = target, (height, width), frame_rate, trimmed
        self.color = output_tags(source)
        self.cuts_early_sound = trimmed or target.suffix.lower() in NO_NEGATIVE_TIMES
        self.keeps_alpha = source is not None and source.has_alpha and target.suffix.lower() in ALPHA_SUFFIXES
        self.time_base = fine_time_base(source.time_base if source else 1 / frame_rate, frame_rate)
        self.file_start = source.start if source else Fraction(0)
        self.origin, self.last, self.container, self.audio = None, None, None, None
        try:
            self._open(file, source, audio, quality)
        except BaseException:
            self.abort()
            raise

    def _open(self, file: Path, source: VideoInfo | None, audio: bool, quality: Quality) -> None:
        import av

        with _named_errors(self.target):
            faststart = {} if self.target.suffix.lower() == ".mkv" else {"movflags": "+faststart"}
            self.container = av.open(f"file:{file}", "w", container_options=faststart)
            self.stream = self._add_stream(quality)
            if source is not None and source.sample_aspect_ratio != 1:
                self.stream.codec_context.sample_aspect_ratio = source.sample_aspect_ratio
            if audio and source is not None and source.has_audio:
                self.audio = AudioCopy(source.path, self.container, target=self.target)

    def _add_stream(self, quality: Quality):
        if self.keeps_alpha:
            codec, pixels, options = "prores_ks", "yuva444p10le", {"profile": "4444"}
        else:
            codec, pixels = "libx264", "yuv420p"
            options = {"crf": str(quality.crf), "preset": quality.preset}
        stream = self.container.add_stream(codec, rate=self.frame_rate, options=options)
        stream.height, stream.width = self.size
        stream.pix_fmt = pixels
        context = stream.codec_context
        context.time_base = self.time_base
        context.color_primaries, context.color_trc = self.color.primaries, self.color.transfer
        context.colorspace, context.color_range = self.color.matrix, self.color.range
        return stream

    def write(self, image: Tensor, time: Fraction, alpha: Tensor | None = None) -> None:
        """Append RGB (3, H, W) and alpha (1, H, W), both in 0..1, shown from `time` (seconds of the source).

        Raises ClipError for a wrong size or values that are not finite; VideoError where times do not
        increase, transparency cannot be kept, or the file cannot be written.
        """
        check_frame(image, self.size, time)
        if alpha is not None and not self.keeps_alpha and bool((alpha < NEARLY_OPAQUE).any()):
            raise VideoError(
                f"{self.target} cannot keep the transparency of the frame at {float(time):.3f} s. "
                "Write to .mov or .mkv from a source with transparency, or to a folder of PNG images."
            )
        if self.origin is None:
            self.origin = time if self.trimmed else Fraction(0)
        stamp = round((time - self.origin) / self.time_base)
        if self.last is not None and stamp <= self.last:
            raise VideoError(f"The frame at {float(time):.3f} s does not come after the one before it.")
        pixels = encode_yuv(image.float().cpu(), _on_cpu(alpha), self.color, self.stream.pix_fmt)
        pixels.pts, pixels.time_base = stamp, self.time_base
        self.last = stamp
        self._mux(pixels)

    def _mux(self, pixels) -> None:
        with _named_errors(self.target):
            for packet in self.stream.encode(pixels):
                self._copy_audio(until=(packet.pts if packet.dts is None else packet.dts) * packet.time_base)
                self.container.mux(packet)

    def _copy_audio(self, until: Fraction | None) -> None:
        if self.audio is not None:
            self.audio.copy(until=until, shift=self.file_start + self.origin, cut=self.cuts_early_sound)

    def finish(self) -> None:
        """Write what is left and close the file; raise VideoError if no frame was written."""
        if self.last is None:
            raise VideoError(f"{self.target} was not written: there was no frame to write.")
        self._mux(None)
        with _named_errors(self.target):
            self._copy_audio(until=self.last * self.time_base + 1 / self.frame_rate if self.trimmed else None)
            self.container.close()
        if self.audio is not None:
            self.audio.close()

    def abort(self) -> None:
        """Close the unfinished file, whatever state it is in."""
        for part in (self.container, self.audio):
            if part is not None:
                with suppress(Exception):
                    part.close()


def output_tags(source: VideoInfo | None) -> ColorTags:
    """Return the tags to write: the source's; BT.709 in limited range where it is RGB, images or nothing."""
    if source is None or source.is_folder:
        return BT709
    if source.color.matrix != RGB:
        return source.color
    primaries, transfer = source.color.primaries, source.color.transfer
    return replace(
        BT709,
        primaries=BT709.primaries if primaries == UNSPECIFIED else primaries,
        transfer=BT709.transfer if transfer == UNSPECIFIED else transfer,
    )


def fine_time_base(tick: Fraction, frame_rate: Fraction) -> Fraction:
    """Return a unit of at most 1/90000 s that divides `tick` and the frame period, where one is possible."""
    common = math.lcm(tick.denominator, frame_rate.numerator)
    timescale = common * -(-FINEST_TICK // common)
    return Fraction(1, timescale if timescale <= LARGEST_TIMESCALE else FINEST_TICK)


def check_frame(image: Tensor, size: tuple[int, int], time: Fraction) -> None:
    """Raise ClipError unless `image` is (3, *size), floating and finite."""
    expected = (3, *size)
    if tuple(image.shape) != expected or not image.is_floating_point():
        raise ClipError(
            f"The frame at {float(time):.3f} s is {tuple(image.shape)} of {image.dtype}; "
            f"expected {expected} of floats in 0..1."
        )
    if not bool(image.isfinite().all()):
        raise ClipError(f"The frame at {float(time):.3f} s contains NaN or infinity and cannot be written.")


def _on_cpu(alpha: Tensor | None) -> Tensor | None:
    return None if alpha is None else alpha.float().cpu()


@contextmanager
def _named_errors(target: Path) -> Iterator[None]:
    import av

    try:
        yield
    except (av.FFmpegError, OSError, ValueError) as error:
        raise write_error(target, error) from error
