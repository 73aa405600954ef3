"""Decode, restore and encode segments, all three at once."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice

import torch
from torch import Tensor

from ..clip import resize_bicubic
from ..contract import Restorer
from ..errors import VideoError
from ..runtime import Runtime
from ..video import Frame, read_frames
from .advice import BEGIN_ANEW, GO_ON
from .plan import Segment
from .progress import SegmentProgress
from .queues import prefetched, written_behind
from .segment import Restored, restored_segment
from .size import resized
from .work import Work

QUEUE_BYTES = 2**28
"""Memory that frames may take while they wait for the next stage, twice: before and after the network."""
MOST_WAITING = 32

Observer = Callable[[int, Tensor, Tensor], None]
"""Called with the number of a frame in the whole file, the frame (3, h, w) as the model saw it and its result
(3, H, W), both in 0..1, after it was written."""


def run_segments(
    work: Work,
    segments: Sequence[Segment],
    restorer: Restorer,
    runtime: Runtime,
    observer: Observer | None = None,
) -> None:
    """Restore and write `segments`; each is done as soon as its file is complete and recorded.

    The result of a segment depends on nothing but the job and the segment. Raises what reading, restoring and
    writing raise; segments that are complete by then stay.
    """
    needs, output = restorer.requirements, work.manifest.output
    pixels = output.input_height * output.input_width
    ahead, behind = _waiting(pixels), _waiting(pixels * needs.scale**2)
    done = work.manifest.frames - sum(segment.frames for segment in segments)
    with (
        written_behind(lambda pictures: _write(work, pictures, observer), behind) as write,
        prefetched(_read(work, segments), ahead) as frames,
    ):
        for segment in segments:
            progress = SegmentProgress(runtime, segment, done, work.manifest.frames)
            own = islice(frames, segment.last - segment.first)
            for restored in restored_segment(own, segment, restorer, progress, work.settings, work.job.policy):
                write(restored)
            deque(own, maxlen=0)  # frames after the segment that no window needed any more
            done += segment.frames


def _read(work: Work, segments: Sequence[Segment]) -> Iterator[Frame]:
    """Yield the frames [first, last) of every segment, at the size at which the model sees them."""
    output = work.manifest.output
    for segment in segments:
        number, seek = segment.first, work.manifest.seeks[segment.index]
        for frame in read_frames(work.job.source, segment.first, segment.last, seek=seek):
            yield replace(frame, image=resized(frame.image, output.input_height, output.input_width))
            number += 1
        if number < segment.last:
            raise VideoError(
                f"{work.job.source} ends before frame {number}; it was longer when the work began. Put the former "
                f"file back and {GO_ON}, or {BEGIN_ANEW} with this one."
            )


@torch.inference_mode()
def _write(work: Work, pictures: Iterator[Restored], observer: Observer | None) -> None:
    """Write the frames of segments that come one after another."""
    for first in pictures:
        segment = first.segment
        with work.open_writer(segment) as writer:
            for restored in chain([first], islice(pictures, segment.frames - 1)):
                assert restored.segment == segment, "frames were lost on the way"
                frame, image = restored.frame, resized(restored.image, *work.manifest.output[:2])
                alpha = None if frame.alpha is None else resize_bicubic(frame.alpha[None], *image.shape[-2:])[0]
                writer.write(image, frame.time, alpha)
                if observer is not None:
                    observer(restored.number, frame.image, image)
        work.mark_done(segment)


def _waiting(pixels: int) -> int:
    """Return how many RGB frames of float32 may wait."""
    return max(1, min(MOST_WAITING, QUEUE_BYTES // (12 * pixels)))
