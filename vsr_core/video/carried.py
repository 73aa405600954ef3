"""What a file holds besides its pictures, and what of it another format can hold."""

from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from ..errors import VideoError

FORMATS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska"}
"""FFmpeg's name of the format of a file by its ending."""
OF_CHAPTERS = ("text", "bin_data")
"""What the track is called in which .mp4 and .mov repeat the names of their chapters."""
TIMECODE = "tmcd"
"""The track that .mov and .mp4 make out of the tag `timecode`."""


@dataclass
class Carried:
    """Streams of an opened file that go into another."""

    copied: list = field(default_factory=list)
    """Sound and subtitles, whose packets are copied at their times."""
    covers: list = field(default_factory=list)
    """Single pictures that belong to the file as a whole."""
    attachments: list = field(default_factory=list)
    """Fonts and other files."""
    notes: list[str] = field(default_factory=list)
    """Sentences on what the other file cannot hold."""


def carried(container, pictures, target: Path, *, audio: bool) -> Carried:
    """Return what of an opened `container`, besides its stream `pictures`, goes into `target`.

    Raises VideoError where its sound does not fit: a silent film is not what was asked for.
    """
    chosen = Carried()
    left: list[str] = []
    for stream in container.streams:
        if stream.index == pictures.index or (stream.type == "audio" and not audio):
            continue
        if stream.type == "audio" and not fits(stream, target):
            raise VideoError(
                f"Sound coded as {codec_name(stream) or 'nothing known'} cannot be stored in a {target.suffix} file. "
                "Write to .mkv, which holds almost any sound, or leave the sound out."
            )
        place = _place(chosen, stream, target)
        if place is not None:
            place.append(stream)
        elif not _comes_by_itself(stream, container):
            left.append(_described(stream))
    if left:
        kept = "" if target.suffix.lower() == ".mkv" else " Write to .mkv to keep more."
        chosen.notes.append(f"Not carried over into a {target.suffix} file: {', '.join(left)}.{kept}")
    return chosen


def fits(stream, target: Path) -> bool:
    """Return whether the format of `target` can hold `stream`, by trying it in memory."""
    import av

    trial = av.open(BytesIO(), "w", format=FORMATS[target.suffix.lower()])
    try:
        trial.add_stream_from_template(stream, opaque=True)
        trial.start_encoding()
    except (ValueError, av.FFmpegError):
        return False
    finally:
        with suppress(ValueError, av.FFmpegError):
            trial.close()
    return True


def codec_name(stream) -> str:
    """Return the name of a stream's codec, empty where it is unknown."""
    return stream.codec_context.name if stream.codec_context is not None else ""


def is_cover(stream) -> bool:
    """Return whether a video stream is one picture that stands for the whole file."""
    import av

    return stream.type == "video" and bool(stream.disposition & av.stream.Disposition.attached_pic)


def _place(chosen: Carried, stream, target: Path) -> list | None:
    suffix = target.suffix.lower()
    if stream.type == "attachment":
        return chosen.attachments if suffix == ".mkv" and can_attach() else None
    if is_cover(stream):
        kept = {".mkv": can_attach(), ".mp4": fits(stream, target)}
        return chosen.covers if kept.get(suffix, False) else None
    return chosen.copied if stream.type in ("audio", "subtitle") and fits(stream, target) else None


def can_attach() -> bool:
    """Return whether this PyAV can put files into a file."""
    import av

    return hasattr(av.container.OutputContainer, "add_attachment")


def _comes_by_itself(stream, container) -> bool:
    """Return whether the new file gets its own track of this kind."""
    if stream.type != "data":
        return False
    names = {stream.name, getattr(stream, "codec_tag", None), stream.metadata.get("handler_name")}
    chapters = hasattr(container, "chapters") and bool(container.chapters())
    return "timecode" in stream.metadata or TIMECODE in names or (chapters and bool(names & set(OF_CHAPTERS)))


def _described(stream) -> str:
    tags = stream.metadata
    names = [codec_name(stream), tags.get("language"), tags.get("title") or tags.get("filename")]
    known = ", ".join(name for name in names if name)
    kind = "cover" if is_cover(stream) else f"{stream.type} track"
    return f"{kind} {stream.index}" + (f" ({known})" if known else "")
