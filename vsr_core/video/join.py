"""Join segments into one video without encoding anything again, and put beside them what else the source holds."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path

from ..errors import VideoError
from .beside import Beside
from .codecs import Quality
from .decode import open_video
from .encode import named_errors
from .info import VideoInfo
from .join_images import join_images
from .labels import has_free_form
from .left_out import left_out, tags_left_out
from .partial import check_file, check_folder, partial_file
from .pictures import JoinedPictures

MILLISECOND = Fraction(1, 1000)
"""The unit of Matroska's time stamps."""


def check_target(
    target: str | Path, *, source: VideoInfo | None, quality: Quality, audio: bool = True, overwrite: bool = False
) -> list[str]:
    """Raise what `join_segments` would refuse, before there are segments; return what it will not carry over.

    Raises VideoError where `target` is the source, exists without `overwrite`, or cannot hold the sound.
    """
    target = Path(target)
    if quality.codec == "png":
        check_folder(target)
        return []
    if source is not None and target.exists() and os.path.samefile(target, source.path):
        raise VideoError(f"{target} is the file being read. Choose another name for the result.")
    check_file(target, overwrite)
    if source is None or source.is_folder:
        return []
    return left_out(source, target, quality, audio=audio)


def join_segments(
    segments: Sequence[Path],
    target: str | Path,
    *,
    source: VideoInfo | None,
    quality: Quality,
    overwrite: bool = False,
    trimmed: bool = False,
    stop: Fraction | None = None,
    audio: bool = True,
    damaged: bool = False,
    tags: Mapping[str, str] | None = None,
) -> list[str]:
    """Join what `segment_writer` wrote, in order, into `target`, which appears when it is complete.

    Every packet of the pictures is taken as it is, shown at its exact time. From the file `source` are carried over
    all sound (unless `audio` is false), subtitles, chapters, covers, attached files and tags. With `trimmed` the first
    frame's time becomes 0, and everything else is cut to 0 .. `stop` (seconds of the source; None: the end of the
    last frame). Where the first frame is shown before 0, everything is moved so that it is shown at 0. With `damaged`
    the rest is copied as far as it can be read. `tags` are written in place of the source's of the same names. The
    images of png segments are moved into the folder `target`, without tags.

    Returns sentences on what `target` cannot hold. Raises VideoError as `check_target`, and for segments that are
    missing, damaged, or not all of one kind.
    """
    target = Path(target)
    if quality.codec == "png":
        join_images(segments, target)
        return []
    notes = check_target(target, source=source, quality=quality, audio=audio, overwrite=overwrite)
    with partial_file(target, overwrite=overwrite) as file:
        options = {"trimmed": trimmed, "stop": stop, "audio": audio, "damaged": damaged, "tags": tags}
        more = join_into(file, segments, target, source=source, **options)
    return [*notes, *more]


def join_into(
    file: Path,
    segments: Sequence[Path],
    target: Path,
    *,
    source: VideoInfo | None,
    trimmed: bool,
    stop: Fraction | None = None,
    audio: bool = True,
    damaged: bool = False,
    tags: Mapping[str, str] | None = None,
) -> list[str]:
    """Join segments that are videos into `file`, which will become `target`: see `join_segments`.

    Returns what is only known afterwards of what `target` cannot hold.
    """
    pictures = JoinedPictures(segments)
    origin, tags = pictures.start if trimmed else min(pictures.start, Fraction(0)), dict(tags or {})
    with named_errors(target):
        if source is None or source.is_folder:
            _write(file, target, pictures, origin, tags)
            return []
        end = (stop or pictures.end) - origin if trimmed else None
        with open_video(source.path) as opened:
            cut = trimmed or _drops_early_sound(target, opened[0])
            timing = {"shift": source.start + origin, "cut": cut, "end": end, "damaged": damaged}
            _write(file, target, pictures, origin, tags, opened, audio=audio, **timing)
            return tags_left_out(file, target, opened[0])


def _write(
    file: Path, target: Path, pictures: JoinedPictures, origin: Fraction, tags: dict, source: tuple = (), **options
) -> None:
    """Write `pictures` and, given an opened container and its video stream as `source`, what is beside them."""
    matroska = target.suffix.lower() == ".mkv"
    # Matroska gets a random number without it, and the same run another file.
    options_of_format = {"fflags": "+bitexact"} if matroska else {"movflags": _movflags(source, tags)}
    with _output(file, options_of_format) as output:
        stream = pictures.add_to(output, tick=MILLISECOND if matroska else pictures.header.tick)
        beside = Beside(*source, output, stream, target=target, **options) if source else None
        output.metadata.update(tags)
        for packet in pictures.packets(stream, origin=origin):
            if beside is not None:
                beside.copy(until=packet.dts * packet.time_base)
            output.mux(packet)
        if beside is not None:
            beside.copy()


def _drops_early_sound(target: Path, container) -> bool:
    """Return whether sound before 0 (encoder delay, about 20 ms) would delay everything else.

    Matroska can hold it only where the encoder's delay is known, as it is from Matroska.
    """
    return target.suffix.lower() == ".mkv" and "matroska" not in container.format.name


@contextmanager
def _output(file: Path, options: dict[str, str]) -> Iterator:
    import av

    container = av.open(f"file:{file}", "w", container_options=options)
    try:
        yield container
        container.close()
    except BaseException:
        with suppress(Exception):
            container.close()
        raise


def _movflags(source: tuple, tags: dict) -> str:
    free_form = tags or (source and has_free_form(source[0].metadata))
    return "+faststart" + ("+use_metadata_tags" if free_form else "")
