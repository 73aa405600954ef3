"""A job that was begun: its plan, and which of its segments are done."""

import json
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path

from ..errors import VideoError
from ..restore import Settings
from ..video import Quality, VideoInfo, Writer, segment_writer
from .advice import BEGIN_ANEW, GO_ON
from .folder import SEGMENT, remove
from .identity import DIGEST_BYTES, Facts, file_digest, source_identity, stamp
from .job import Job
from .manifest import NAME as MANIFEST
from .manifest import Manifest, write_json
from .plan import Segment


@dataclass(frozen=True, kw_only=True)
class Work:
    """A work folder and what is in it. Can be sent to another process that sees the same files."""

    job: Job
    folder: Path
    source: VideoInfo
    manifest: Manifest
    overwrite: bool
    stamp: list[tuple[int, ...]]
    """What `identity.stamp` last said of the input when its content was as the manifest says."""
    published: list[str] | None = None
    """`Result.notes` where the target is there, complete, and a crash kept the work folder from being removed."""
    resumed: int = 0
    """Segments that were done before this run."""

    @property
    def segments(self) -> list[Segment]:
        """Return all segments, in order."""
        return self.manifest.segments

    @property
    def quality(self) -> Quality:
        """Return how frames are encoded, with nothing left to choose."""
        return self.job.quality_for(self.source)

    @property
    def settings(self) -> Settings:
        """Return the settings for one segment: a segment is one shot, tiles are as the manifest says."""
        tiling = replace(self.job.settings.tiling, scene_cuts=False, memory=self.manifest.memory)
        return replace(self.job.settings, tiling=tiling)

    def missing(self) -> list[Segment]:
        """Return the segments that are still to be done, in order."""
        return [] if self.published is not None else [segment for segment in self.segments if not self.is_done(segment)]

    def is_done(self, segment: Segment) -> bool:
        """Return whether a segment is there, whole and undamaged."""
        try:
            recorded = json.loads(self._record(segment).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        return recorded == self._facts(segment)

    def path(self, segment: Segment) -> Path:
        """Return where the pictures of a segment are: a file, or a folder of images."""
        return self.folder / (SEGMENT.format(segment.index) + self.quality.segment_suffix)

    def open_writer(self, segment: Segment) -> AbstractContextManager[Writer]:
        """Return a writer of a segment's frames, which replaces what an earlier attempt left."""
        self._check_folder()
        remove(self._record(segment))
        output = self.manifest.output
        return segment_writer(
            self.path(segment),
            height=output.height,
            width=output.width,
            source=self.source,
            quality=self.quality,
            sample_aspect_ratio=output.sample_aspect_ratio,
            first=segment.start - self.segments[0].start,
        )

    def mark_done(self, segment: Segment) -> None:
        """Note that a segment is complete; raise VideoError if the input has changed since the work began."""
        self.check_source()
        self._check_folder()
        write_json(self._record(segment), self._facts(segment))

    def check_source(self) -> None:
        """Raise VideoError unless the input still has the content that the work began with."""
        now = stamp(self.job.source)
        if now == self.stamp:
            return
        if source_identity(self.job.source) != self.manifest.input:
            raise VideoError(
                f"{self.job.source} was changed while it was read. Put the former file back and {GO_ON}, or "
                f"{BEGIN_ANEW} with the new one."
            )
        self.stamp[:] = now

    def _check_folder(self) -> None:
        if not (self.folder / MANIFEST).is_file():
            raise VideoError(f"{self.folder}, where the unfinished work lay, was deleted or moved. Start again.")

    def _record(self, segment: Segment) -> Path:
        return self.folder / (SEGMENT.format(segment.index) + ".json")

    def _facts(self, segment: Segment) -> Facts | None:
        """Return frames, bytes and digest of a segment as it is on the disk, None if it is not there."""
        path = self.path(segment)
        files = sorted(path.glob("*.png")) if path.is_dir() else [path]
        if not files or not all(file.is_file() for file in files):
            return None
        digest = blake2b(digest_size=DIGEST_BYTES)
        for file in files:
            digest.update(file.name.encode() + file_digest(file))
        size = sum(file.stat().st_size for file in files)
        return {"frames": segment.frames, "bytes": size, "blake2b": digest.hexdigest()}
