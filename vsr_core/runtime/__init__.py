"""Where and how to compute: the `Runtime` protocol and its stand-alone implementation."""

from .counter import FrameCounter
from .protocol import Runtime
from .standalone import StandaloneRuntime

__all__ = ["FrameCounter", "Runtime", "StandaloneRuntime"]
