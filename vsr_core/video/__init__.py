"""Read and write videos and folders of images, one frame at a time."""

from .color import ColorTags
from .encode import Quality
from .info import VideoInfo, probe
from .read import Frame, read_frames, read_image
from .write import Writer, open_writer

__all__ = [
    "ColorTags",
    "Frame",
    "Quality",
    "VideoInfo",
    "Writer",
    "open_writer",
    "probe",
    "read_frames",
    "read_image",
]
