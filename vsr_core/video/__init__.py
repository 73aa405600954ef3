"""Read and write videos and folders of images, one frame at a time."""

from .codecs import CODECS, VIDEO_SUFFIXES, Quality
from .color import ColorTags
from .info import VideoInfo, probe
from .join import check_target, join_segments
from .read import Frame, read_frames, read_image
from .scan import Timeline, scan
from .segment import segment_writer
from .timing import Seek
from .write import open_writer
from .writer import Writer

__all__ = [
    "CODECS",
    "VIDEO_SUFFIXES",
    "ColorTags",
    "Frame",
    "Quality",
    "Seek",
    "Timeline",
    "VideoInfo",
    "Writer",
    "check_target",
    "join_segments",
    "open_writer",
    "probe",
    "read_frames",
    "read_image",
    "scan",
    "segment_writer",
]
