"""Restore one segment: a function of the input, the model, the settings and the segment, and of nothing else."""

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import NamedTuple

import torch
from torch import Tensor

from ..contract import Restorer
from ..restore import Settings, restore
from ..tiling.axis import ramp
from ..video import Frame
from .context import context
from .plan import Policy, Segment
from .progress import SegmentProgress


class Restored(NamedTuple):
    segment: Segment
    number: int
    """Of the frame in the whole file."""
    frame: Frame
    """As it was read, at the size at which the model sees it."""
    image: Tensor
    """(3, scale * h, scale * w) in 0..1, on the CPU."""


def restored_segment(
    frames: Iterator[Frame],
    segment: Segment,
    restorer: Restorer,
    runtime: SegmentProgress,
    settings: Settings,
    policy: Policy,
) -> Iterator[Restored]:
    """Yield the frames [start, stop) of a segment, given its frames [first, last).

    `settings` say that there are no scene cuts: a segment is of one shot.
    """
    if policy == "reprocess" or segment.lead == 0:
        images = _restored(frames, segment, segment.first, restorer, runtime, settings)
    else:
        images = _crossfaded(frames, segment, restorer, runtime, settings)
    return islice(images, segment.frames)


def _restored(
    frames: Iterable[Frame],
    segment: Segment,
    first: int,
    restorer: Restorer,
    runtime: SegmentProgress,
    settings: Settings,
) -> Iterator[Restored]:
    """Yield the frames from segment.start on, given those from number `first` on, which one run restores."""
    held: deque[Frame] = deque()

    def images() -> Iterator[Tensor]:
        for frame in frames:
            held.append(frame)
            yield frame.image

    number = first
    for clip in restore(images(), restorer, runtime.of_run(first), settings, first=first):
        dropped = min(max(0, segment.start - number), len(clip))
        number += dropped
        for _ in range(dropped):
            held.popleft()
        for image in clip[dropped:].cpu():
            yield Restored(segment, number, held.popleft(), image)
            number += 1


def _crossfaded(
    frames: Iterator[Frame], segment: Segment, restorer: Restorer, runtime: SegmentProgress, settings: Settings
) -> Iterator[Restored]:
    """Yield the frames of a run that begins at segment.start; its first ones fade in over one that knows the past."""
    shared = min(context(restorer, settings).tail, segment.frames)
    before = list(islice(frames, segment.lead + shared))
    past = [restored.image for restored in _restored(before, segment, segment.first, restorer, runtime, settings)]
    own = _restored(chain(before[segment.lead :], frames), segment, segment.start, restorer, runtime, settings)
    for image, weight, restored in zip(past, ramp(shared), own):
        yield restored._replace(image=torch.lerp(image, restored.image, weight))
    yield from own
