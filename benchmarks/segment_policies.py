"""Compare both ways to join segments with a run over the whole shot, for each model.

    python benchmarks/segment_policies.py VIDEO [--models NAME ...] [--frames 96] [--crop 96x128] [--seconds 1]

Takes the first frames of a video, a part of the picture in the middle, as one shot. All on the CPU in float32.
"""

import argparse
import math
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from vsr_core.contract import Restorer
from vsr_core.load import cast, load_restorer
from vsr_core.models import built_in, find
from vsr_core.restore import Settings, restore
from vsr_core.runtime import StandaloneRuntime
from vsr_core.streaming.context import context
from vsr_core.streaming.plan import POLICIES, Policy, Segment, plan_segments
from vsr_core.streaming.progress import SegmentProgress
from vsr_core.streaming.segment import restored_segment
from vsr_core.tiling import Tiling
from vsr_core.video import Frame, probe, read_frames

AROUND = 4
"""Frames before and after the start of a segment that are looked at in particular."""


class Row(NamedTuple):
    """Figures of one model and policy."""

    model: str
    policy: str
    computed: float
    """Frames restored per frame written."""
    largest: float
    """Difference of a sample from the run over the whole shot, 0..255."""
    nearest: float
    """PSNR in dB of the frames around a boundary, against the run over the whole shot."""
    jump: float
    """Change from a segment's last frame to the next one's first, relative to the run over the whole shot."""


def main() -> None:
    arguments = _arguments()
    frames = _cropped(arguments.video, arguments.frames, arguments.crop)
    rate = probe(arguments.video).frame_rate
    rows = [row for name in arguments.models for row in compared(name, frames, rate, arguments.seconds)]
    size = "x".join(map(str, arguments.crop))
    print(f"{arguments.video.name}: {len(frames)} frames of {size}, segments of {arguments.seconds} s\n")
    print("| model | policy | frames computed per frame written | largest difference (of 255) | "
          f"PSNR of the {2 * AROUND} frames around a boundary | change at the boundary |")  # fmt: skip
    print("|---|---|---|---|---|---|")
    for row in rows:
        print(
            f"| {row.model} | {row.policy} | {row.computed:.2f} | {row.largest:.2f} | {row.nearest:.1f} dB | "
            f"{row.jump:.3f} x |"
        )


@torch.inference_mode()
def compared(name: str, frames: list[Frame], rate: Fraction, seconds: float) -> list[Row]:
    """Return a row for each policy."""
    restorer = cast(load_restorer(find(name)), torch.float32)
    runtime, settings = StandaloneRuntime("cpu", "fp32"), Settings(tiling=Tiling(scene_cuts=False))
    whole = torch.cat(list(restore((frame.image for frame in frames), restorer, runtime, settings)))
    rows = []
    for policy in POLICIES:
        around = context(restorer, settings)
        segments = plan_segments([len(frames)], around, seconds=seconds, frame_rate=rate, policy=policy)
        found = in_segments(frames, segments, restorer, runtime, settings, policy)
        starts = [segment.start for segment in segments[1:]]
        close = [number for start in starts for number in range(start - AROUND, min(start + AROUND, len(frames)))]
        extra = sum(min(around.tail, s.frames) for s in segments if s.lead) if policy == "crossfade" else 0
        rows.append(
            Row(
                model=name,
                policy=policy,
                computed=(sum(segment.last - segment.first for segment in segments) + extra) / len(frames),
                largest=(found - whole).abs().max().item() * 255,
                nearest=psnr(found[close], whole[close]),
                jump=(change(found, starts) / change(whole, starts)).item(),
            )
        )
    return rows


def in_segments(
    frames: list[Frame],
    segments: list[Segment],
    restorer: Restorer,
    runtime: StandaloneRuntime,
    settings: Settings,
    policy: Policy,
) -> Tensor:
    """Return the frames (T, 3, H, W) in 0..1, restored segment by segment."""
    images = []
    for segment in segments:
        own = iter(frames[segment.first : segment.last])
        progress = SegmentProgress(runtime, segment, len(images), len(frames))
        restored = restored_segment(own, segment, restorer, progress, settings, policy)
        images += [picture.image for picture in restored]
    return torch.stack(images)


def psnr(frames: Tensor, reference: Tensor) -> float:
    """Return the peak signal-to-noise ratio in dB of frames in 0..1."""
    error = (frames - reference).square().mean().item()
    return -10 * math.log10(error) if error else math.inf


def change(frames: Tensor, starts: list[int]) -> Tensor:
    """Return the mean absolute change to the frames numbered `starts` from those before them."""
    return torch.stack([(frames[start] - frames[start - 1]).abs().mean() for start in starts]).mean()


def _cropped(video: Path, count: int, size: tuple[int, int]) -> list[Frame]:
    found = []
    for frame in read_frames(video, 0, count):
        top, left = ((side - wanted) // 2 for side, wanted in zip(frame.image.shape[-2:], size))
        found.append(replace(frame, image=frame.image[:, top : top + size[0], left : left + size[1]].contiguous()))
    return found


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", type=Path)
    parser.add_argument("--models", nargs="+", default=list(built_in()))
    parser.add_argument("--frames", type=int, default=96)
    parser.add_argument("--crop", type=lambda text: tuple(map(int, text.split("x"))), default=(96, 128))
    parser.add_argument("--seconds", type=float, default=1.0)
    return parser.parse_args()


if __name__ == "__main__":
    main()
