"""Decoded `av.VideoFrame` to tensors and back, for any pixel format, at full precision."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from .color import (
    FULL,
    LIMITED,
    RGB,
    UNSPECIFIED,
    ColorTags,
    dequantize,
    enlarge_chroma,
    halve_chroma,
    quantize,
    rgb_from_yuv,
    usual_matrix,
    yuv_from_rgb,
)

CENTRED_CHROMA = {"mjpeg", "mpeg1video", "webp"}
"""Codecs whose chroma samples lie between the columns of luma samples."""
PACKED_RGB = (("rgb24", "rgba"), ("rgb48le", "rgba64le"))
"""RGB formats by more than 8 bits and by alpha."""
ALWAYS_ALPHA = {"gif", "pal8"}
"""Codec and pixel format that decode with an alpha channel even if nothing is transparent."""


def bit_depth(pixel_format) -> int:
    """Return the bits of the finest component of an `av.VideoFormat`."""
    return max(component.bits for component in pixel_format.components)


def color_tags(frame, codec) -> ColorTags:
    """Return the colour tags of a decoded frame; what is untagged is filled in as players do.

    The matrix becomes `color.usual_matrix`, the range limited (full for grey and RGB pictures).
    """
    name = frame.format.name
    found = ColorTags(
        primaries=int(codec.color_primaries),
        transfer=int(codec.color_trc),
        matrix=int(frame.colorspace),
        range=int(frame.color_range),
    )
    if frame.format.is_rgb or frame.format.has_palette:
        return replace(found, matrix=RGB, range=FULL)
    if found.matrix in (RGB, UNSPECIFIED):
        found = replace(found, matrix=usual_matrix(frame.height, frame.width))
    if name.startswith("yuvj"):
        return replace(found, range=FULL)
    return found if found.range else replace(found, range=FULL if name.startswith("gray") else LIMITED)


def to_rgb(frame, color: ColorTags, codec_name: str) -> tuple[Tensor, Tensor | None]:
    """Return RGB (3, H, W) and alpha (1, H, W) or None, both in 0..1, of a frame as stored (not turned).

    Super-white, super-black and out-of-gamut values are clamped.
    """
    may_be_opaque = {codec_name, frame.format.name} & ALWAYS_ALPHA
    frame = _readable(frame)
    planes, bits = _planes(frame), frame.format.components[0].bits
    alpha = planes.pop() / (2**bits - 1) if len(planes) == 4 else None
    if alpha is not None and may_be_opaque and bool((alpha == 1).all()):
        alpha = None
    if frame.format.is_rgb:
        rgb = torch.stack(planes) / (2**bits - 1)
    else:
        rgb = _decode_yuv(planes, frame, bits, color, left=codec_name not in CENTRED_CHROMA)
    return rgb.clamp(0, 1), None if alpha is None else alpha[None]


def small_rgb(frame, longest: int) -> Tensor:
    """Return RGB (3, H, W) in 0..1 of a frame as stored, reduced to `longest` pixels; its colours are approximate."""
    share = min(1, longest / max(frame.height, frame.width))
    size = {"width": max(1, round(frame.width * share)), "height": max(1, round(frame.height * share))}
    pixels = frame.reformat(**size, format="rgb24", interpolation="AREA").to_ndarray()
    return torch.from_numpy(pixels).permute(2, 0, 1) / 255


def _decode_yuv(planes: list[Tensor], frame, bits: int, color: ColorTags, *, left: bool) -> Tensor:
    luma = dequantize(planes[0], bits=bits, color_range=color.range)
    if len(planes) == 1:
        return luma.expand(3, -1, -1)
    step_x, step_y = _chroma_steps(frame.format)
    blue, red = (
        enlarge_chroma(
            dequantize(plane, bits=bits, color_range=color.range, chroma=True),
            *luma.shape,
            step_y=step_y,
            step_x=step_x,
            left=left,
        )
        for plane in planes[1:]
    )
    return rgb_from_yuv(luma, blue, red, color.matrix)


def _chroma_steps(pixel_format) -> tuple[int, int]:
    return 64 // pixel_format.chroma_width(64), 64 // pixel_format.chroma_height(64)


def _readable(frame):
    """Return the frame in a layout `_planes` can read; sample values do not change."""
    target = _readable_format(frame.format)
    if target == frame.format.name:
        return frame
    same_range = int(frame.color_range) or LIMITED
    return frame.reformat(format=target, src_color_range=same_range, dst_color_range=same_range)


def _readable_format(pixel_format) -> str:
    """Return a little-endian integer format: packed for RGB, one plane per component for grey and YUV."""
    components, bits = pixel_format.components, bit_depth(pixel_format)
    separate = len({component.plane for component in components}) == len(components)
    special = pixel_format.has_palette or pixel_format.is_bit_stream or pixel_format.name.startswith("xyz")
    if separate and bits <= 16 and not special and not pixel_format.is_big_endian:
        return pixel_format.name
    if len(components) == 1 and not special:
        return "gray" if bits <= 8 else "gray16le"
    alpha = pixel_format.has_palette or len(components) in (2, 4)
    if pixel_format.is_rgb or special or len(components) == 2:
        return PACKED_RGB[bits > 8][alpha]
    step_x, step_y = _chroma_steps(pixel_format)
    sampling = {(1, 1): "444", (2, 1): "422", (2, 2): "420", (1, 2): "440", (4, 1): "411", (4, 4): "410"}
    return f"yuv{'a' * alpha}{sampling[step_x, step_y]}p" + ("" if bits <= 8 else f"{bits}le")


def _planes(frame) -> list[Tensor]:
    """Return the components (Y, U, V or R, G, B, then alpha) as float32 code values."""
    components = frame.format.components
    if len(frame.planes) < len(components):
        return list(_samples(frame.planes[0], components[0].bits, len(components)))
    return [_samples(frame.planes[component.plane], component.bits, 1)[0] for component in components]


def _samples(plane, bits: int, channels: int) -> Tensor:
    dtype = np.dtype(np.uint8 if bits <= 8 else "<u2")
    rows = np.frombuffer(plane, dtype).reshape(plane.height, plane.line_size // dtype.itemsize)
    pixels = rows[:, : plane.width * channels].reshape(plane.height, plane.width, channels)
    return torch.from_numpy(pixels.transpose(2, 0, 1).astype(np.float32))


def encode_yuv(rgb: Tensor, alpha: Tensor | None, color: ColorTags, pixel_format: str):
    """Return an `av.VideoFrame` of RGB (3, H, W) and alpha (1, H, W) in 0..1.

    `pixel_format` is a planar YUV format of at most 16 bits. Where it has no alpha, alpha is left out; where it has,
    no alpha counts as opaque. H and W are even where it halves them.
    """
    import av

    frame = av.VideoFrame(rgb.shape[-1], rgb.shape[-2], pixel_format)
    bits = frame.format.components[0].bits
    step_x, step_y = _chroma_steps(frame.format)
    luma, *chroma = yuv_from_rgb(rgb, color.matrix)
    if step_x > 1:
        chroma = [halve_chroma(plane, rows=step_y > 1) for plane in chroma]
    codes = [quantize(luma, bits=bits, color_range=color.range)]
    codes += [quantize(plane, bits=bits, color_range=color.range, chroma=True) for plane in chroma]
    if len(frame.planes) == 4:
        opacity = torch.ones_like(luma) if alpha is None else alpha[0]
        codes.append(quantize(opacity, bits=bits, color_range=FULL))
    for plane, values in zip(frame.planes, codes):
        _fill(plane, values.numpy().astype(np.uint8 if bits <= 8 else "<u2"))
    frame.colorspace, frame.color_range = color.matrix, color.range
    if hasattr(frame, "color_primaries"):  # ProRes takes them from here; older PyAV cannot say them
        frame.color_primaries, frame.color_trc = color.primaries, color.transfer
    return frame


def _fill(plane, values: np.ndarray) -> None:
    rows = np.zeros((plane.height, plane.line_size // values.itemsize), values.dtype)
    rows[:, : values.shape[1]] = values
    plane.update(rows.tobytes())
