"""Restore videos of any length in bounded memory, segment by segment, so that any run can be interrupted."""

from .engine import Result, Unfinished, finish, prepare, unfinished, upscale_video
from .folder import work_folder
from .identity import Identity, identify
from .job import ON_ERROR, Job
from .pipeline import Observer, run_segments
from .plan import POLICIES, Segment
from .size import RESIZES, TargetSize
from .work import Work

__all__ = [
    "ON_ERROR",
    "POLICIES",
    "RESIZES",
    "Identity",
    "Job",
    "Observer",
    "Result",
    "Segment",
    "TargetSize",
    "Unfinished",
    "Work",
    "finish",
    "identify",
    "prepare",
    "run_segments",
    "unfinished",
    "upscale_video",
    "work_folder",
]
