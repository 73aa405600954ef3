"""Put beside joined pictures what else their source holds: sound, subtitles, chapters, covers, files, tags."""

from fractions import Fraction
from pathlib import Path

from .carried import carried
from .covers import add_attachments, add_covers
from .labels import copy_chapters, copy_labels, lasting
from .tracks import Tracks


class Beside:
    """All of an opened source that goes into an output container with pictures of its own. Times are the output's."""

    def __init__(self, container, pictures, output, stream, *, target: Path, audio: bool, **timing):
        """Add it to `output`; raise VideoError for sound that `target` cannot hold.

        `pictures` is the stream of `container` that `stream` of `output` was made of. `timing` is that of Tracks.
        """
        chosen = carried(container, pictures, target, audio=audio)
        self.output, self.wanted = output, lasting(container.metadata)
        output.metadata.update(self.wanted)
        copy_labels(pictures, stream)
        self.notes = [*chosen.notes, *copy_chapters(container, output, timing["shift"], timing["end"])]
        as_files = target.suffix.lower() == ".mkv"
        self.tracks = Tracks(container, chosen.copied, output, **timing)
        self.covers = add_covers(chosen.covers, output, as_files=as_files)
        add_attachments(chosen.attachments, output)

    def copy(self, *, until: Fraction | None = None) -> None:
        """Copy what starts before `until` (None: all the rest)."""
        while self.covers:
            self.output.mux(self.covers.pop())
        self.tracks.copy(until=until)
