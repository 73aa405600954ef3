"""Compression of a clip by a real video encoder, in memory."""

from fractions import Fraction

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy import ndarray

from ..clip import padding_to_multiple
from ..errors import MissingPackageError, SettingError
from .config import RateOption
from .operations import to_float, to_uint8

DECODERS = {"libx264": "h264", "mpeg4": "mpeg4", "mpeg2video": "mpeg2video"}
FRAME_RATE = 25
MACROBLOCK = 16
"""Encoders read whole blocks: a frame that fills them leaves no unwritten memory to chance."""


def video_codec(frames: ndarray, encoder: str, option: RateOption, value: float) -> ndarray:
    """Encode and decode frames (T, H, W, 3) in 0..1; same shape out.

    `option` is bitrate (bits per second at 25 fps), crf (0..51, libx264 only) or qscale (1..31, MPEG only).
    Raises SettingError for an unknown encoder or option, MissingPackageError where FFmpeg lacks the encoder.
    """
    height, width = frames.shape[1:3]
    bottom, right = padding_to_multiple(height, MACROBLOCK), padding_to_multiple(width, MACROBLOCK)
    padded = np.pad(to_uint8(frames), ((0, 0), (0, bottom), (0, right), (0, 0)), mode="edge")
    writer = _open_encoder(encoder, option, value, height + bottom, width + right)
    packets = _encode(writer, padded)
    decoded = _decode(DECODERS[encoder], packets)
    return to_float(decoded[:, :height, :width])


def _open_encoder(encoder: str, option: RateOption, value: float, height: int, width: int):
    if encoder not in DECODERS:
        raise SettingError(f"Unknown video encoder {encoder!r}; use one of {', '.join(DECODERS)}.")
    try:
        writer = av.CodecContext.create(encoder, "w")
    except av.error.FFmpegError as error:
        raise MissingPackageError(f"PyAV has no encoder {encoder}; install the av wheel.") from error
    writer.width, writer.height, writer.pix_fmt = width, height, "yuv420p"
    writer.time_base, writer.framerate = Fraction(1, FRAME_RATE), Fraction(FRAME_RATE)
    writer.thread_count = 1
    if encoder == "libx264":
        writer.options = {"preset": "veryfast", "x264-params": "mbtree=0"}  # mbtree differs from run to run
    _set_rate(writer, encoder, option, value)
    return writer


def _set_rate(writer, encoder: str, option: RateOption, value: float) -> None:
    is_x264 = encoder == "libx264"
    if option == "bitrate":
        writer.bit_rate = round(value)
    elif option == "crf" and is_x264:
        writer.options = {**writer.options, "crf": f"{value:.2f}"}
    elif option == "qscale" and not is_x264:
        writer.qmin = writer.qmax = round(value)
    else:
        raise SettingError(f"{encoder} has no {option!r}; libx264 takes crf, MPEG qscale, both take bitrate.")


def _encode(writer, frames: ndarray) -> list:
    reformatter = VideoReformatter()
    packets = []
    for index, array in enumerate(frames):
        frame = reformatter.reformat(av.VideoFrame.from_ndarray(array, format="rgb24"), format="yuv420p")
        frame.pts, frame.time_base = index, Fraction(1, FRAME_RATE)
        packets += writer.encode(frame)
    return packets + writer.encode(None)


def _decode(name: str, packets: list) -> ndarray:
    reader = av.CodecContext.create(name, "r")
    reader.thread_count = 1
    frames = [frame for packet in (*packets, None) for frame in reader.decode(packet)]
    reformatter = VideoReformatter()
    return np.stack([reformatter.reformat(frame, format="rgb24").to_ndarray() for frame in frames])
