"""Put a clip before restoring beside the one after it: walk through both once, show and rate every frame."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from ..clip import check_clip, resize_bicubic
from ..errors import ClipError, SettingError
from ..metrics.measure import REFERENCE
from ..runtime import Runtime
from .rating import AFTER, BEFORE, ROWS, WITH_REFERENCE, WITHOUT_REFERENCE, Rater, Rating
from .view import VIEWS, write_title


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What `compare` found."""

    shown: Tensor
    """The view: frames or one picture (N, 3, H', W') in 0..1, float32."""
    rating: Rating


def compare(
    before: Tensor,
    after: Tensor,
    reference: Tensor | None = None,
    *,
    view: str = "divider",
    titles: bool = True,
    measure: bool = True,
    runtime: Runtime,
) -> Comparison:
    """Show `before` (T, 3, h, w), resized by bicubic interpolation, together with `after` (T, 3, H, W), and rate both.

    With `reference` (T, 3, H, W) by PSNR and SSIM, without it by NIQE and E*_warp, by nothing if not `measure`.
    `view` is a name of VIEWS. Frames are in 0..1. Raises ClipError if the frame counts, or the sizes of `after` and
    `reference`, differ, SettingError on an unknown view.
    """
    if view not in VIEWS:
        raise SettingError(f"There is no view {view!r}; choose one of {', '.join(VIEWS)}.")
    clips = {BEFORE: before, AFTER: after} | ({} if reference is None else {REFERENCE: reference})
    check_clips(clips)
    count, _, height, width = after.shape
    seen = VIEWS[view](count, height, width)
    metrics = WITHOUT_REFERENCE if reference is None else WITH_REFERENCE
    rater = Rater(metrics if measure else ())
    for t in range(count):
        runtime.check_stopped()
        moment = {name: resized(clip[t].to(after.device), height, width) for name, clip in clips.items()}
        rater.add(moment)
        if t in seen.frames:
            corners = seen.title_corners if titles else (None, None)
            seen.paint(t, *(write_title(moment[row], row, corner) for row, corner in zip(ROWS, corners)))
        runtime.progress("compare", t + 1, count, seen.canvas[min(t, len(seen.canvas) - 1)])
    return Comparison(shown=seen.canvas.clamp_(0, 1), rating=rater.rating())


def resized(frame: Tensor, height: int, width: int) -> Tensor:
    """Return `frame` (3, h, w) as float32 (3, height, width)."""
    if frame.shape[-2:] == (height, width):
        return frame.float()
    return resize_bicubic(frame[None].float(), height, width)[0]


def check_clips(clips: Mapping[str, Tensor]) -> None:
    """Raise ClipError unless all are clips of as many frames, and those of AFTER and REFERENCE as large."""
    for clip in clips.values():
        check_clip(clip)
    names = {BEFORE: BEFORE, AFTER: AFTER, REFERENCE: "reference"}
    if len({len(clip) for clip in clips.values()}) > 1:
        came = ", ".join(f"{names[name]} has {len(clip)}" for name, clip in clips.items())
        raise ClipError(f"Frame counts differ: {came}. Connect the same frames of the same video to all of them.")
    after, reference = clips[AFTER], clips.get(REFERENCE, clips[AFTER])
    if reference.shape != after.shape:
        sizes = [f"{clip.shape[-1]}x{clip.shape[-2]}" for clip in (reference, after)]
        raise ClipError(
            "The reference is {} and after is {} pixels; expected equal sizes. Connect the original in the size of "
            "after: a resized one would be measured as if it were real.".format(*sizes)
        )
