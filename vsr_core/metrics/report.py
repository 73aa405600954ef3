"""Results as a Markdown table (which also reads well in a terminal) and as JSON."""

import json
from collections.abc import Mapping, Sequence
from math import isfinite

from .catalog import METRICS
from .measure import REFERENCE, ClipResult, average

ABSENT = "-"
Rows = Mapping[str, Mapping[str, float]]


def markdown(results: Sequence[ClipResult], metrics: Sequence[str], missing: Mapping[str, str]) -> str:
    """Return the table of means, the table of clips if there are several, and what the figures mean."""
    titles = _titles(metrics)
    means = [[row, *_cells(values, metrics)] for row, values in average(results).items()]
    parts = [_heading(results), table(means, ["", *titles])]
    if len(results) > 1:
        parts += ["Per clip:", table(_clip_lines(results, metrics), ["clip", "frames", "", *titles])]
    parts.append(_notes(results, metrics))
    parts += [f"{METRICS[name].title} is missing: {reason}" for name, reason in missing.items()]
    return "\n\n".join(parts) + "\n"


def as_json(results: Sequence[ClipResult], metrics: Sequence[str], missing: Mapping[str, str]) -> str:
    """Return the same figures at full precision, and those of every frame.

    An infinite PSNR is the string "inf"; a frame without a value has the string "nan".
    """
    content = {
        "metrics": {name: METRICS[name].title for name in metrics},
        "missing": dict(missing),
        "mean": _json_rows(average(results)),
        "clips": [
            {
                "name": result.name,
                "frames": result.frames,
                "rows": _json_rows(result.rows),
                "values": {metric: _json_values(rows) for metric, rows in result.values.items()},
            }
            for result in results
        ],
    }
    return json.dumps(content, indent=2, allow_nan=False) + "\n"


def table(lines: Sequence[Sequence[str]], header: Sequence[str]) -> str:
    """Return a Markdown table with columns of even width."""
    widths = [max(3, *(len(line[i]) for line in [header, *lines])) for i in range(len(header))]
    rule = ["-" * width for width in widths]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |"
        for line in [header, rule, *lines]
    )


def _heading(results: Sequence[ClipResult]) -> str:
    frames = sum(result.frames for result in results)
    if len(results) == 1:
        return f"{results[0].name}: {frames} frames, mean over frames."
    return f"{len(results)} clips, {frames} frames; mean over the frames of a clip, then over clips."


def _clip_lines(results: Sequence[ClipResult], metrics: Sequence[str]) -> list[list[str]]:
    return [
        [result.name, str(result.frames), row, *_cells(values, metrics)]
        for result in results
        for row, values in result.rows.items()
    ]


def _titles(metrics: Sequence[str]) -> list[str]:
    return [METRICS[name].title for name in metrics]


def _cells(means: Mapping[str, float], metrics: Sequence[str]) -> list[str]:
    return [f"{means[name]:.{METRICS[name].decimals}f}" if name in means else ABSENT for name in metrics]


def _notes(results: Sequence[ClipResult], metrics: Sequence[str]) -> str:
    higher = [METRICS[name].title for name in metrics if METRICS[name].higher_is_better]
    lower = [METRICS[name].title for name in metrics if not METRICS[name].higher_is_better]
    sentences = [
        f"{word} is better: {', '.join(titles)}." for word, titles in (("Higher", higher), ("Lower", lower)) if titles
    ]
    sentences.append("Whole RGB frames, no border cropped (docs/metrics.md).")
    if "ewarp" in metrics:
        source = f"the {REFERENCE} clip" if REFERENCE in results[0].rows else "each row's own frames"
        sentences.append(f"The warping error follows the DIS optical flow of {source}; papers use other flow.")
    return " ".join(sentences)


def _json_rows(rows: Rows) -> dict[str, dict[str, float | str]]:
    return {row: {name: _json_number(value) for name, value in means.items()} for row, means in rows.items()}


def _json_values(rows: Mapping[str, Sequence[float]]) -> dict[str, list[float | str]]:
    return {row: [_json_number(value) for value in values] for row, values in rows.items()}


def _json_number(value: float) -> float | str:
    return value if isfinite(value) else str(value)
