"""A rating as text that reads well in a text box and as Markdown."""

from math import isfinite, isnan

from ..metrics import METRICS
from ..metrics.report import table as markdown_table
from .rating import AFTER, BEFORE, ROWS, Rating

MISSING = "missing"
NO_VALUE = "-"
NOTHING = "Nothing was measured: measure is off.\n"


def table(rating: Rating) -> str:
    """Return the means of before and after and their difference, and why a metric is missing."""
    if not rating.metrics:
        return NOTHING
    lines = [[row, *(_cell(rating, metric, row) for metric in rating.metrics)] for row in ROWS]
    lines.append(["change", *(_change(rating, metric) for metric in rating.metrics)])
    parts = [markdown_table(lines, ["", *(METRICS[metric].title for metric in rating.metrics)])]
    parts.append(" ".join(f"{METRICS[metric].title}: {direction(metric)}." for metric in rating.metrics))
    if any(NO_VALUE in line for line in lines[:-1]):
        parts.append(
            f"{NO_VALUE} stands for no value: the warping error needs two frames of one scene, NIQE a frame that is "
            "not flat."
        )
    parts += [f"{METRICS[name].title} is missing: {reason}" for name, reason in rating.missing.items()]
    return "\n\n".join(parts) + "\n"


def direction(metric: str) -> str:
    """Return "higher is better" or "lower is better"."""
    return "higher is better" if METRICS[metric].higher_is_better else "lower is better"


def _cell(rating: Rating, metric: str, row: str) -> str:
    if metric in rating.missing:
        return MISSING
    mean = rating.mean(metric, row)
    return NO_VALUE if isnan(mean) else f"{mean:.{METRICS[metric].decimals}f}"


def _change(rating: Rating, metric: str) -> str:
    change = rating.mean(metric, AFTER) - rating.mean(metric, BEFORE)
    return f"{change:+.{METRICS[metric].decimals}f}" if isfinite(change) else NO_VALUE
