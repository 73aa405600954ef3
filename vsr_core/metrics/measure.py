"""Stream the frames of a clip through the metrics, two frames in memory at a time."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from statistics import fmean

from torch import Tensor

from .warping import motion, pair_error

REFERENCE = "HR"
"""Name of the row that holds the ground truth."""

Frames = Mapping[str, Tensor]
"""The same moment of every row: row name -> frame (3, H, W) in 0..1, all of one size."""
Score = Callable[[Frames, Frames | None], dict[str, float]]
"""Rate the current frames, given the previous ones (None at the start): row name -> value."""


@dataclass(frozen=True, kw_only=True)
class ClipResult:
    """Means over the frames of one clip: row name -> metric name -> value, where the metric applies."""

    name: str
    frames: int
    rows: dict[str, dict[str, float]]


def measure(name: str, moments: Iterable[Frames], scores: Mapping[str, Score]) -> ClipResult:
    """Return the mean of every score over a clip; NaN values (see NIQE and E*_warp) do not count."""
    values: dict[tuple[str, str], list[float]] = defaultdict(list)
    rows, previous, count = (), None, 0
    for current in moments:
        rows = tuple(current)
        for metric, score in scores.items():
            for row, value in score(current, previous).items():
                values[row, metric].append(value)
        previous, count = current, count + 1
    means = {key: fmean(each) for key, all_of in values.items() if (each := _numbers(all_of))}
    by_row = {row: {metric: means[row, metric] for metric in scores if (row, metric) in means} for row in rows}
    return ClipResult(name=name, frames=count, rows=by_row)


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


def _numbers(values: list[float]) -> list[float]:
    return [value for value in values if not isnan(value)]
