"""Stream the frames of a clip through the metrics, two frames in memory at a time.

Only metrics of whole clips, where they are asked for, have all frames kept, at 8 bits.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan, nan
from statistics import fmean

import torch
from torch import Tensor

from .warping import motion, pair_error

REFERENCE = "HR"
"""Name of the row that holds the ground truth."""

Frames = Mapping[str, Tensor]
"""The same moment of every row: row name -> frame (3, H, W) in 0..1, all of one size."""
Score = Callable[[Frames, Frames | None], dict[str, float]]
"""Rate the current frames, given the previous ones (None at the start): row name -> value."""
Values = dict[str, dict[str, list[float]]]
"""Metric name -> row name -> one value per frame, NaN where there is none."""


@dataclass(frozen=True)
class WholeClip:
    """A score that sees all frames of a clip at once."""

    rate: Callable[[Mapping[str, Tensor]], dict[str, float]]
    """Rate every row, a clip (T, 3, H, W) in 0..1 of 8 bits: row name -> value."""


@dataclass(frozen=True, kw_only=True)
class ClipResult:
    """What the metrics say of one clip."""

    name: str
    frames: int
    rows: dict[str, dict[str, float]]
    """Row name -> metric name -> mean over the frames, where the metric applies."""
    values: Values = field(default_factory=dict)
    """The values behind the means; metrics of whole clips have none."""


def measure(name: str, moments: Iterable[Frames], scores: Mapping[str, Score | WholeClip]) -> ClipResult:
    """Return every score of a clip, frame by frame and its mean; NaN (see NIQE and E*_warp) does not count."""
    of_clips = {metric: score for metric, score in scores.items() if isinstance(score, WholeClip)}
    of_frames = {metric: score for metric, score in scores.items() if metric not in of_clips}
    values: Values = {metric: defaultdict(list) for metric in of_frames}
    kept: dict[str, list[Tensor]] = defaultdict(list)
    previous, count = {}, 0
    for current in moments:
        for metric, score in of_frames.items():
            given = score(current, previous or None)
            for row in current:
                values[metric][row].append(given.get(row, nan))
        if of_clips:
            for row, frame in current.items():
                kept[row].append((frame * 255).round().byte())
        previous, count = current, count + 1
    means = {metric: _means(rows) for metric, rows in values.items()}
    clips = {row: torch.stack(frames) / 255 for row, frames in kept.items()}
    means |= {metric: score.rate(clips) for metric, score in of_clips.items()}
    by_row = {row: {metric: means[metric][row] for metric in scores if row in means[metric]} for row in previous}
    return ClipResult(name=name, frames=count, rows=by_row, values=values)


def average(results: Sequence[ClipResult]) -> dict[str, dict[str, float]]:
    """Return the mean over clips, each clip counting the same: row name -> metric name -> value."""
    values: dict[str, dict[str, list[float]]] = {}
    for result in results:
        for row, metrics in result.rows.items():
            means = values.setdefault(row, defaultdict(list))
            for metric, value in metrics.items():
                means[metric].append(value)
    return {row: {metric: fmean(each) for metric, each in metrics.items()} for row, metrics in values.items()}


def against_reference(metric: Callable[[Tensor, Tensor], Tensor]) -> Score:
    """Turn `metric(clip, reference)` into a score of every row but the reference."""

    def score(current: Frames, previous: Frames | None) -> dict[str, float]:
        if REFERENCE not in current:
            return {}
        reference = current[REFERENCE][None]
        return {row: metric(frame[None], reference).item() for row, frame in _without_reference(current)}

    return score


def alone(metric: Callable[[Tensor], Tensor]) -> Score:
    """Turn `metric(clip)` into a score of every row."""
    return lambda current, previous: {row: metric(frame[None]).item() for row, frame in current.items()}


def of_whole_clips(metric: Callable[[Tensor], float]) -> WholeClip:
    """Turn `metric(clip)` into a score of every row."""
    return WholeClip(lambda clips: {row: metric(clip) for row, clip in clips.items()})


def of_whole_clips_against_reference(metric: Callable[[Tensor, Tensor], float]) -> WholeClip:
    """Turn `metric(clip, reference)` into a score of every row but the reference."""

    def rate(clips: Mapping[str, Tensor]) -> dict[str, float]:
        if REFERENCE not in clips:
            return {}
        return {row: metric(clip, clips[REFERENCE]) for row, clip in _without_reference(clips)}

    return WholeClip(rate)


def warping(current: Frames, previous: Frames | None) -> dict[str, float]:
    """Score E*_warp of every row, along the flow of the reference where there is one, else along its own."""
    if previous is None:
        return {}
    shared = motion(previous[REFERENCE], current[REFERENCE]) if REFERENCE in current else None
    return {
        row: pair_error(previous[row], current[row], shared or motion(previous[row], current[row])) for row in current
    }


def _without_reference(frames: Frames) -> Iterator[tuple[str, Tensor]]:
    return ((row, frame) for row, frame in frames.items() if row != REFERENCE)


def _means(values: Mapping[str, list[float]]) -> dict[str, float]:
    numbers = {row: [value for value in of_row if not isnan(value)] for row, of_row in values.items()}
    return {row: fmean(of_row) for row, of_row in numbers.items() if of_row}
