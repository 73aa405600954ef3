"""What a file says about itself and its tracks: tags, languages, chapters."""

from collections.abc import Iterable
from fractions import Fraction

STALE = (
    "major_brand",
    "minor_version",
    "compatible_brands",
    "encoder",
    "duration",
    "bps",
    "number_of_frames",
    "number_of_bytes",
    "vendor_id",
    "rotate",
    "_statistics",
    "source_id",
)
"""How tags begin that are about a file's coding, which the new file says anew."""
FREE_FORM = "com."
"""How tags begin, those of phones, that .mp4 and .mov keep only if told to keep them all."""


def lasting(tags: dict[str, str]) -> dict[str, str]:
    """Return the tags that stay true when a file's pictures are coded anew."""
    return {name: text for name, text in tags.items() if not name.lower().startswith(STALE)}


def copy_labels(stream, added) -> None:
    """Give the output stream `added` the tags and the role (default, forced, commentary ...) of `stream`."""
    tags = lasting(stream.metadata)
    if "title" not in tags and "name" in tags:  # what .mp4 and .mov call a title when they are read
        tags["title"] = tags.pop("name")
    added.metadata.update(tags)
    added.disposition = stream.disposition.value


def has_free_form(tags: dict[str, str]) -> bool:
    """Return whether there are tags as phones write them."""
    return any(name.lower().startswith(FREE_FORM) for name in tags)


def copy_chapters(container, output, shift: Fraction, end: Fraction | None) -> list[str]:
    """Give `output` the chapters of `container`, `shift` seconds earlier, cut to 0 .. `end`; return notes."""
    if not hasattr(container, "chapters"):
        return ["Whether there are chapters is unknown: this version of PyAV cannot read them. Update av."]
    moved = [_moved(chapter, shift, end) for chapter in container.chapters()]
    output.set_chapters([chapter for chapter in moved if chapter["start"] < chapter["end"]])
    return []


def _moved(chapter: dict, shift: Fraction, end: Fraction | None) -> dict:
    unit = chapter["time_base"]
    last = chapter["end"] * unit - shift
    last = last if end is None else min(last, end)
    start = max(chapter["start"] * unit - shift, Fraction(0))
    return {**chapter, "start": round(start / unit), "end": round(last / unit)}


def lost_tags(wanted: Iterable[str], written: Iterable[str]) -> list[str]:
    """Return the names of tags that are not among those written; case does not count."""
    there = {name.lower() for name in written}
    return [name for name in wanted if name.lower() not in there]
