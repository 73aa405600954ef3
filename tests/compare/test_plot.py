"""The curves over the frames."""

from math import inf, nan

import pytest
import torch
from PIL import ImageColor

from vsr_core.compare import Rating, plot
from vsr_core.compare.plot import COLORS, HEIGHT, MARGINS, WIDTH, ticks
from vsr_core.compare.rating import ROWS

LEGEND = slice(0, MARGINS["top"] - 4)


def rating(before, after, **missing) -> Rating:
    values = {} if missing else {"psnr": {"before": before, "after": after}}
    return Rating(metrics=("psnr",), values=values, missing=missing)


def where(picture, row: str) -> torch.Tensor:
    """Return y and x of the pixels in the colour of `row`, below the legend."""
    color = torch.tensor(ImageColor.getrgb(COLORS[(*ROWS, "HR").index(row)])).view(3, 1, 1) / 255
    found = ((picture - color).abs() < 0.02).all(0)
    found[LEGEND] = False
    return found.nonzero()


def test_higher_values_are_drawn_higher_and_later_frames_further_right():
    picture = plot(rating([20.0, 20.0], [30.0, 40.0]))
    assert picture.shape == (3, HEIGHT, WIDTH)
    before, after = where(picture, "before"), where(picture, "after")
    assert before[:, 0].min() > after[:, 0].max()
    left, right = (after[after[:, 1] == x, 0].float().mean() for x in (after[:, 1].min(), after[:, 1].max()))
    assert right < left


def test_every_metric_has_a_panel_of_its_own():
    values = {name: {"before": [1.0, 2.0], "after": [2.0, 1.0]} for name in ("niqe", "ewarp")}
    picture = plot(Rating(metrics=("niqe", "ewarp"), values=values, missing={}))
    assert picture.shape == (3, 2 * HEIGHT, WIDTH)
    assert len(where(picture[:, :HEIGHT], "after"))
    assert len(where(picture[:, HEIGHT:], "after"))


def test_every_row_has_a_curve_of_its_own_and_a_name_if_it_has_a_value():
    curves = {"before": [1.0, 1.0], "after": [2.0, 2.0], "HR": [3.0, 3.0]}
    three = plot(Rating(metrics=("niqe",), values={"niqe": curves}, missing={}))
    two = plot(Rating(metrics=("niqe",), values={"niqe": curves | {"HR": [nan, nan]}}, missing={}))
    assert where(three, "HR")[:, 0].max() < where(three, "after")[:, 0].min()
    assert len(where(two, "HR")) == 0
    assert (three[:, LEGEND] < 0.5).sum() > (two[:, LEGEND] < 0.5).sum()


def test_the_curve_has_a_gap_where_there_is_no_value():
    columns = set(where(plot(rating([5.0] * 4, [1.0, 1.0, nan, 1.0])), "after")[:, 1].tolist())
    inner = WIDTH - MARGINS["left"] - MARGINS["right"]
    frame = [MARGINS["left"] + inner * t // 3 for t in range(4)]
    assert set(range(frame[0], frame[1])) <= columns
    assert columns.isdisjoint(range(frame[1] + 10, frame[3] - 10))
    assert frame[3] in columns


@pytest.mark.parametrize("values", [[3.0], [3.0, 3.0], [0.0, 0.0, 0.0], [1e6, 1e6 + 1e-3], [1e-7, 2e-7]])
def test_one_frame_and_values_that_do_not_change_are_drawn_too(values):
    assert len(where(plot(rating(values, values)), "after"))


def test_infinite_values_are_left_out():
    picture = plot(rating([20.0, 21.0], [inf, inf]))
    assert len(where(picture, "before"))
    assert len(where(picture, "after")) == 0


def test_the_panel_of_a_missing_metric_tells_why():
    empty = plot(rating([], [], psnr=""))
    told = plot(rating([], [], psnr="the package is not there; run `pip install it`"))
    assert len(where(told, "after")) == 0
    assert (told < 0.5).sum() > (empty < 0.5).sum() + 300
    assert len(where(plot(rating([nan], [nan])), "after")) == 0


def test_a_rating_of_nothing_is_a_panel_that_says_so():
    picture = plot(Rating(metrics=(), values={}, missing={}))
    assert picture.shape == (3, HEIGHT, WIDTH)
    assert (picture < 0.5).sum() > 300


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (0.2, 0.9), (-3, 41), (20.01, 20.02), (5, 5), (0, 0), (1e-5, 1), (-2, -2), (0, 1e7)]
)
def test_ticks_are_round_even_and_enclose_the_values(low, high):
    values = ticks(low, high)
    assert 2 <= len(values) <= 8
    assert values[0] <= low
    assert values[-1] >= high
    step = values[1] - values[0]
    assert all(b - a == pytest.approx(step) for a, b in zip(values, values[1:]))
    assert f"{step:.0e}"[0] in "125"


@pytest.mark.parametrize("last", [1, 2, 7, 57, 1000])
def test_ticks_of_frames_are_whole_numbers(last):
    values = ticks(0, last, whole=True)
    assert values[0] == 0
    assert all(value == int(value) for value in values)
