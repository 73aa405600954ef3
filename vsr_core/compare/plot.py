"""A rating as a picture: one panel per metric, one curve for each row (as before and after), frame by frame."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from math import ceil, floor, isfinite, log10
from textwrap import wrap

from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from ..metrics import METRICS
from .picture import from_picture
from .rating import Rating
from .table import NOTHING, direction

WIDTH, HEIGHT = 960, 300
"""Of one panel."""
SHARPNESS = 2
"""Panels are drawn this many times as large and then shrunk, which smooths their lines."""
MARGINS = {"left": 76, "top": 44, "right": 24, "bottom": 44}
FONT_SIZE = 16
INK, GRID, PAPER = "#333333", "#dddddd", "white"
COLORS = ("#e07b00", "#1769c2", "#009e73")  # of the rows in turn; told apart by colour-blind people, too
LEGEND_WIDTH = 116
"""Pixels of one row's name."""
STEPS = (1, 2, 5, 10)


def plot(rating: Rating) -> Tensor:
    """Draw the panels below each other: (3, H, W) in 0..1. The panel of a missing metric tells why it is missing."""
    panels = [_panel(rating, metric) for metric in rating.metrics] or [_empty_panel()]
    sheet = Image.new("RGB", (WIDTH * SHARPNESS, HEIGHT * SHARPNESS * len(panels)), PAPER)
    for row, panel in enumerate(panels):
        sheet.paste(panel, (0, row * HEIGHT * SHARPNESS))
    return from_picture(sheet.reduce(SHARPNESS))


def _panel(rating: Rating, metric: str) -> Image.Image:
    panel = Panel(f"{METRICS[metric].title} ({direction(metric)})")
    curves = rating.values.get(metric, {})
    found = [value for values in curves.values() for value in values if isfinite(value)]
    if metric in rating.missing:
        panel.say(f"{METRICS[metric].title} is missing: {rating.missing[metric]}")
    elif not found:
        panel.say("No frame has a finite value.")
    else:
        panel.draw_axes(ticks(min(found), max(found)), max(map(len, curves.values())))
        colors = dict(zip(curves, cycle(COLORS)))
        for row, values in curves.items():
            panel.draw_curve(values, colors[row])
        panel.draw_legend({row: colors[row] for row in curves if any(map(isfinite, curves[row]))})
    return panel.picture


def _empty_panel() -> Image.Image:
    panel = Panel("")
    panel.say(NOTHING)
    return panel.picture


class Panel:
    """One diagram with a title."""

    left, top = MARGINS["left"], MARGINS["top"]
    right, bottom = WIDTH - MARGINS["right"], HEIGHT - MARGINS["bottom"]

    def __init__(self, title: str):
        """Draw the title on white."""
        self.picture = Image.new("RGB", (WIDTH * SHARPNESS, HEIGHT * SHARPNESS), PAPER)
        self.brush = ImageDraw.Draw(self.picture)
        self.font = ImageFont.load_default(size=FONT_SIZE * SHARPNESS)
        self.write(self.left, self.top // 2, title, "lm")

    def write(self, x: float, y: float, text: str, anchor: str, color: str = INK) -> None:
        """Write one line; `anchor` is Pillow's, for example "lm" for left and middle."""
        self.brush.text((x * SHARPNESS, y * SHARPNESS), text, color, self.font, anchor)

    def line(self, points: Sequence[tuple[float, float]], color: str, width: float = 1) -> None:
        scaled = [(x * SHARPNESS, y * SHARPNESS) for x, y in points]
        self.brush.line(scaled, color, round(width * SHARPNESS), joint="curve")

    def say(self, text: str) -> None:
        """Write `text` in place of a diagram."""
        for number, line in enumerate(wrap(text, 100)):
            self.write(self.left, self.top + 30 + number * 24, line, "lm")

    def draw_axes(self, values: Sequence[float], frames: int) -> None:
        """Draw a grid at `values` and at round frame numbers; what `draw_curve` draws fits into it."""
        self.low, self.high, self.last = values[0], values[-1], max(1, frames - 1)
        decimals = max(0, -floor(log10(values[1] - values[0])))
        for value in values:
            y = self.y(value)
            self.line([(self.left, y), (self.right, y)], GRID)
            self.write(self.left - 8, y, f"{value:.{decimals}f}", "rm")
        for frame in (number for number in ticks(0, self.last, whole=True) if number <= self.last):
            self.line([(self.x(frame), self.top), (self.x(frame), self.bottom)], GRID)
            self.write(self.x(frame), self.bottom + 14, f"{frame:.0f}", "mm")
        self.write(self.right, HEIGHT - 10, "frame", "rm")

    def draw_curve(self, values: Sequence[float], color: str) -> None:
        """Draw a dot for every finite value, and a line where neighbours have one too."""
        points = [(self.x(t), self.y(value)) if isfinite(value) else None for t, value in enumerate(values)]
        for point, following in zip(points, points[1:]):
            if point and following:
                self.line([point, following], color, 2.5)
        radius = 3.5 if len(points) <= 120 else 1.5
        for x, y in filter(None, points):
            corners = (x - radius, y - radius, x + radius, y + radius)
            self.brush.ellipse([corner * SHARPNESS for corner in corners], color)

    def draw_legend(self, colors: Mapping[str, str]) -> None:
        """Write the names of the rows, each beside a line in its colour."""
        for place, (row, color) in enumerate(colors.items()):
            x = self.right - LEGEND_WIDTH * (len(colors) - place)
            self.line([(x, self.top // 2), (x + 26, self.top // 2)], color, 4)
            self.write(x + 34, self.top // 2, row, "lm")

    def x(self, frame: float) -> float:
        return self.left + (self.right - self.left) * frame / self.last

    def y(self, value: float) -> float:
        return self.bottom - (self.bottom - self.top) * (value - self.low) / (self.high - self.low)


def ticks(low: float, high: float, *, most: int = 6, whole: bool = False) -> list[float]:
    """Return two to `most` + 1 round numbers that enclose `low` and `high`, evenly spaced; `whole` for integers."""
    if high - low < 1e-6 * max(1, abs(high)):
        low, high = low - max(1e-3, abs(low) / 100), high + max(1e-3, abs(high) / 100)
    rough = (high - low) / most * (1 + 1e-9)
    unit = 10.0 ** floor(log10(rough))
    step = next(unit * step for step in STEPS if unit * step >= rough)
    step = max(1.0, step) if whole else step
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return [number * step for number in range(first, last + 1)]
