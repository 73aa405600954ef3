"""Encode frames into a stream of an open container."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from torch import Tensor

from ..errors import ClipError, VideoError
from .codecs import CODECS, Quality, encoder_options
from .color import BT709, RGB, UNSPECIFIED, ColorTags
from .info import VideoInfo
from .partial import write_error
from .picture import encode_yuv

NEARLY_OPAQUE = 1 - 1 / 512
"""Alpha from here up is 255 in 8 bits."""


class FrameEncoder:
    """Turns frames into packets. Colours are converted with the matrix and range that the stream is tagged with."""

    def __init__(
        self,
        container,
        target: Path,
        *,
        height: int,
        width: int,
        frame_rate: Fraction,
        time_base: Fraction,
        source: VideoInfo | None,
        quality: Quality,
        sample_aspect_ratio: Fraction,
    ):
        """Add a stream to `container`; errors name `target`. `quality` is resolved.

        `sample_aspect_ratio` is the width of a pixel divided by its height.
        """
        self.codec = CODECS[quality.codec]
        check_size(target, height, width, quality)
        self.target, self.size, self.time_base, self.last = target, (height, width), time_base, None
        self.color = output_tags(source)
        bits, alpha = (source.bit_depth, source.has_alpha) if source else (8, False)
        self.keeps_alpha = alpha and self.codec.keeps_alpha
        pixels = self.codec.pixel_format(bits, alpha)
        self.stream = self._add_stream(container, frame_rate, pixels, encoder_options(quality, pixels))
        if sample_aspect_ratio != 1:
            self.stream.codec_context.sample_aspect_ratio = sample_aspect_ratio

    def _add_stream(self, container, frame_rate: Fraction, pixels: str, options: dict[str, str]):
        import av

        if self.codec.encoder not in av.codecs_available:
            raise VideoError(
                f"This FFmpeg lacks {self.codec.encoder} and writes no {self.codec.name}. Choose another codec."
            )
        os.environ.setdefault("SVT_LOG", "1")  # the one way to make libsvtav1 report nothing but errors
        stream = container.add_stream(self.codec.encoder, rate=frame_rate, options=options)
        stream.height, stream.width = self.size
        stream.pix_fmt = pixels
        context = stream.codec_context
        context.time_base = self.time_base
        context.color_primaries, context.color_trc = self.color.primaries, self.color.transfer
        context.colorspace, context.color_range = self.color.matrix, self.color.range
        return stream

    def packets(self, image: Tensor, time: Fraction, alpha: Tensor | None = None) -> Iterable:
        """Return what is ready after RGB (3, H, W) and alpha (1, H, W), both in 0..1, shown from `time` (seconds).

        Raises ClipError for a wrong size or values that are not finite; VideoError where times do not increase or
        transparency cannot be kept.
        """
        check_frame(image, self.size, time)
        if alpha is not None and not self.keeps_alpha and bool((alpha < NEARLY_OPAQUE).any()):
            raise VideoError(
                f"{self.target} cannot keep the transparency of the frame at {float(time):.3f} s. Write ProRes to "
                ".mov or .mkv, or FFV1 to .mkv, from a source with transparency, or write a folder of PNG images."
            )
        stamp = round(time / self.time_base)
        if self.last is not None and stamp <= self.last:
            raise VideoError(f"The frame at {float(time):.3f} s does not come after the one before it.")
        self.last = stamp
        pixels = encode_yuv(image.float().cpu(), _on_cpu(alpha), self.color, self.stream.pix_fmt)
        pixels.pts, pixels.time_base = stamp, self.time_base
        return self.stream.encode(pixels)

    def rest(self) -> Iterable:
        """Return the last packets; raise VideoError if no frame was written."""
        if self.last is None:
            raise VideoError(f"{self.target} was not written: there was no frame to write.")
        return self.stream.encode(None)


def check_size(target: Path, height: int, width: int, quality: Quality) -> None:
    """Raise VideoError unless the codec of a resolved `quality` takes frames of `height` x `width`."""
    if height % CODECS[quality.codec].multiple or width % CODECS[quality.codec].multiple:
        raise VideoError(f"{target}: {width}x{height} frames cannot be encoded, {quality.codec} needs even sizes.")


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
def named_errors(target: Path) -> Iterator[None]:
    """Raise what goes wrong in FFmpeg while writing as a VideoError about `target`."""
    import av

    try:
        yield
    except (av.FFmpegError, OSError, ValueError) as error:
        raise write_error(target, error) from error
