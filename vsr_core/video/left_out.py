"""Say in sentences what of a source will not be in the result."""

from pathlib import Path

from .carried import carried
from .codecs import CODECS, Quality
from .decode import decode_frames, open_video
from .info import VideoInfo
from .labels import lasting, lost_tags

SHAPED = ("h264", "hevc")
"""Codecs that say themselves how wide their pixels are."""
LIGHT = ("MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL")
"""What FFmpeg calls the limits of brightness that come with a frame of HDR video."""


def left_out(source: VideoInfo, target: Path, quality: Quality, *, audio: bool) -> list[str]:
    """Return what is known before `target` is written of what it will lack, where `source` is a video.

    Raises VideoError where `target` cannot hold the sound.
    """
    with open_video(source.path) as (container, stream):
        beside = carried(container, stream, target, audio=audio).notes
        limited = _has_light_limits(container, stream, source.path)
    light = ["Left out: the brightness limits of the HDR display that the input was made on."] if limited else []
    return [*_on_depth(source, quality), *_on_shape(source, target, quality), *light, *beside]


def tags_left_out(file: Path, target: Path, container) -> list[str]:
    """Return which tags of an opened source are not in `file`, which will become `target`."""
    import av

    with av.open(f"file:{file}") as written:
        lost = lost_tags(lasting(container.metadata), written.metadata)
    return [f"Left out, because a {target.suffix} file cannot hold them: the tags {', '.join(lost)}."] if lost else []


def _has_light_limits(container, stream, path: Path) -> bool:
    frames = decode_frames(container, stream, path)
    frame = next(frames)
    frames.close()
    try:
        return any(frame.side_data.get(name) is not None for name in LIGHT)
    except ValueError:  # PyAV lists no frame whose side data has a kind it does not know yet
        return False


def _on_depth(source: VideoInfo, quality: Quality) -> list[str]:
    kept = max(bits for bits, _ in CODECS[quality.codec].formats)
    if source.bit_depth <= kept:
        return []
    deeper = [name for name, codec in CODECS.items() if max(codec.formats)[0] > kept]
    return [
        f"The input has {source.bit_depth} bits a sample, {quality.codec} is written with {kept}; "
        f"more are kept by {', '.join(deeper)}."
    ]


def _on_shape(source: VideoInfo, target: Path, quality: Quality) -> list[str]:
    if target.suffix.lower() != ".mkv" or quality.codec in SHAPED or source.sample_aspect_ratio == 1:
        return []
    return [
        f"Left out: pixels of {target} should be {source.sample_aspect_ratio} times as wide as high; in Matroska, "
        f"FFmpeg can say so for {' and '.join(SHAPED)} only. Choose one of these, or another ending."
    ]
