"""Errors a user can act on: each says what came, what was expected and what to do."""


class VSRError(Exception):
    """Base of every error this package raises on purpose."""


class CheckpointError(VSRError):
    """A model file is unreadable, unsafe, unknown or does not fit its architecture."""


class ClipError(VSRError):
    """Frames have the wrong shape, range or values."""


class VideoError(VSRError):
    """A media file cannot be read or written."""


class SettingError(VSRError):
    """A setting is out of range or does not fit the others."""


class MemoryLimitError(VSRError):
    """Even the smallest tile does not fit into memory."""


class MissingPackageError(VSRError):
    """An optional package or weights file is needed for what was asked."""


class DownloadError(VSRError):
    """A published file cannot be fetched whole, or what came is not it."""
