"""Clips with cuts, and restoring them whole and in segments, without files."""

from dataclasses import replace
from fractions import Fraction

import torch
from restorers import Watched, random_clip
from torch import Tensor

from vsr_core.clip import resize_bicubic
from vsr_core.contract import Restorer
from vsr_core.restore import Settings, restore
from vsr_core.streaming.context import context
from vsr_core.streaming.plan import Policy, Segment, plan_segments
from vsr_core.streaming.progress import SegmentProgress
from vsr_core.streaming.segment import restored_segment
from vsr_core.tiling.cuts import shot_lengths
from vsr_core.video import Frame

RATE = Fraction(10)


def moving_shots(*lengths: int, height: int = 16, width: int = 16) -> Tensor:
    """Return a clip (T, 3, H, W) of shots of smooth texture that drifts by a pixel a frame."""
    shots = []
    for seed, frames in enumerate(lengths):
        noise = random_clip(1, height // 4 + 2, (width + frames) // 4 + 3, seed=seed)
        wide = resize_bicubic(noise, 4 * noise.shape[-2], 4 * noise.shape[-1])[..., :height, :]
        shots += [0.5 * wide[..., t : t + width] + 0.5 * (seed % 2) for t in range(frames)]
    return torch.cat(shots)


def plan(
    clip: Tensor, restorer: Restorer, settings: Settings, seconds: float, policy: Policy = "reprocess", first: int = 0
) -> list[Segment]:
    """Return the segments of a clip at RATE frames per second, whose first frame has number `first`."""
    lengths = shot_lengths(clip, settings.tiling.scene_cuts)
    around = context(restorer, settings)
    return plan_segments(lengths, around, seconds=seconds, frame_rate=RATE, first=first, policy=policy)


def whole(clip: Tensor, restorer: Restorer, settings: Settings) -> Tensor:
    """Return the clip restored in one run."""
    return torch.cat(list(restore(clip, restorer, Watched(), settings)))


def in_segments(
    clip: Tensor,
    restorer: Restorer,
    settings: Settings,
    *,
    seconds: float,
    policy: Policy = "reprocess",
    first: int = 0,
) -> Tensor:
    """Return the clip restored segment by segment, the last one first."""
    frames = {first + index: Frame(image, None, index / RATE) for index, image in enumerate(clip)}
    one_shot = replace(settings, tiling=replace(settings.tiling, scene_cuts=False))
    restored = {}
    for segment in reversed(plan(clip, restorer, settings, seconds, policy, first)):
        given = iter([frames[number] for number in range(segment.first, segment.last)])
        runtime = SegmentProgress(Watched(), segment, 0, len(clip))
        for picture in restored_segment(given, segment, restorer, runtime, one_shot, policy):
            assert picture.frame is frames[picture.number]
            restored[picture.number] = picture.image
    return torch.stack([restored[number] for number in frames])
