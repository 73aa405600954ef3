"""The scores of before and after, frame by frame."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan, nan
from statistics import fmean

from ..errors import ClipError, MissingPackageError
from ..metrics import load_scores
from ..metrics.measure import Frames, Score
from ..metrics.weights import weights_folder

BEFORE, AFTER = ROWS = ("before", "after")
WITH_REFERENCE = ("psnr", "ssim")
WITHOUT_REFERENCE = ("niqe", "ewarp")


@dataclass(frozen=True, kw_only=True)
class Rating:
    """What the metrics say, by their names in METRICS."""

    metrics: Sequence[str]
    """Those asked for, present or missing."""
    values: Mapping[str, Mapping[str, Sequence[float]]]
    """metric -> row, as "before" and "after" -> one value per frame; NaN for none, as E*_warp has in frame 0."""
    missing: Mapping[str, str]
    """metric -> why it could not be computed."""

    def mean(self, metric: str, row: str) -> float:
        """Return the mean over the frames that have a value; NaN if none has, or the metric is missing."""
        values = [value for value in self.values.get(metric, {}).get(row, ()) if not isnan(value)]
        return fmean(values) if values else nan


class Rater:
    """Rates one moment after the other; a metric that fails for what it lacks is left aside with its reason."""

    def __init__(self, metrics: Sequence[str]):
        """Load those of `metrics` whose package and weights are here."""
        self.metrics = metrics
        self.scores, self.missing = load_scores(metrics, weights_folder(), all_required=False)
        self.values: dict[str, dict[str, list[float]]] = {name: {row: [] for row in ROWS} for name in self.scores}
        self.previous: Frames | None = None

    def add(self, moment: Frames) -> None:
        """Rate "before" and "after" of `moment`, the one that follows what was added last."""
        for name, score in list(self.scores.items()):
            self._add(name, score, moment)
        self.previous = moment

    def _add(self, name: str, score: Score, moment: Frames) -> None:
        try:
            given = score(moment, self.previous)
        except (ClipError, MissingPackageError) as error:  # frames too small for it, or a package that is not here
            del self.scores[name], self.values[name]
            self.missing[name] = str(error)
            return
        for row in ROWS:
            self.values[name][row].append(given.get(row, nan))

    def rating(self) -> Rating:
        """Return what was found so far."""
        return Rating(metrics=self.metrics, values=self.values, missing=self.missing)
