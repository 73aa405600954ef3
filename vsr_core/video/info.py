"""What a video file or a folder of images holds, found out from its header and first frame."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from .color import BT709, ColorTags
from .decode import decode_frames, file_start, open_video, stated_end
from .images import check_sizes, decode_image, image_files, image_header
from .orientation import frame_orientation
from .picture import bit_depth, color_tags, to_rgb

IMAGE_RATE = Fraction(24)
"""Frames per second of a folder of images."""


@dataclass(frozen=True, kw_only=True)
class VideoInfo:
    """Facts about a source of frames. Sizes are pixels as shown, after rotation; times are seconds."""

    path: Path
    height: int
    width: int
    frame_rate: Fraction
    """Average frames per second."""
    time_base: Fraction
    """Unit of the file's time stamps."""
    frames: int | None
    """As the header says, else estimated from duration and rate. Exact for a folder."""
    duration: Fraction | None
    start: Fraction
    """Second 0 of `read_frames` in the file's own time."""
    rotation: int
    """Clockwise degrees by which stored frames are turned to be shown: 0, 90, 180 or 270."""
    bit_depth: int
    has_alpha: bool
    has_audio: bool
    color: ColorTags
    """Tags of the file; matrix and range as they are used where the file has none."""
    sample_aspect_ratio: Fraction
    """Width of a shown pixel divided by its height."""
    is_folder: bool
    """The frames are image files (a folder, or one image) instead of a video."""


def probe(path: str | Path) -> VideoInfo:
    """Read header and first frame of a video, or every image header of a folder; raise VideoError."""
    path = Path(path)
    files = image_files(path)
    return _probe_video(path) if files is None else _probe_images(path, files)


def _probe_video(path: Path) -> VideoInfo:
    with open_video(path) as (container, stream):
        frames = decode_frames(container, stream, path)
        frame = next(frames)
        frames.close()
        codec, orientation = stream.codec_context, frame_orientation(frame)
        color = color_tags(frame, codec)
        rate = stream.average_rate or stream.guessed_rate or stream.base_rate or IMAGE_RATE
        duration = _duration(container, stream)
        count = stream.frames or (round(duration * rate) if duration else None)
        aspect = stream.sample_aspect_ratio or codec.sample_aspect_ratio or Fraction(1)
        height, width = frame.height, frame.width
        return VideoInfo(
            path=path,
            height=width if orientation.transpose else height,
            width=height if orientation.transpose else width,
            frame_rate=rate,
            time_base=stream.time_base,
            frames=count,
            duration=duration,
            start=file_start(container),
            rotation=orientation.degrees,
            bit_depth=bit_depth(frame.format),
            has_alpha=to_rgb(frame, color, codec.name)[1] is not None,
            has_audio=bool(container.streams.audio),
            color=color,
            sample_aspect_ratio=1 / aspect if orientation.transpose else aspect,
            is_folder=False,
        )


def _duration(container, stream) -> Fraction | None:
    if stream.duration:
        return stream.duration * stream.time_base
    end = stated_end(container, stream)
    if end is not None:
        return end - (stream.start_time or 0) * stream.time_base
    return Fraction(container.duration, 1_000_000) if container.duration else None


def _probe_images(path: Path, files: list[Path]) -> VideoInfo:
    check_sizes(files)
    height, width, orientation = image_header(files[0])
    frame, codec = decode_image(files[0])
    return VideoInfo(
        path=path,
        height=height,
        width=width,
        frame_rate=IMAGE_RATE,
        time_base=1 / IMAGE_RATE,
        frames=len(files),
        duration=len(files) / IMAGE_RATE,
        start=Fraction(0),
        rotation=orientation.degrees,
        bit_depth=bit_depth(frame.format),
        has_alpha=to_rgb(frame, color_tags(frame, codec), codec.name)[1] is not None,
        has_audio=False,
        color=BT709,
        sample_aspect_ratio=Fraction(1),
        is_folder=True,
    )
