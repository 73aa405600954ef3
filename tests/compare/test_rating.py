"""Two clips in numbers: what is measured, and what is said of what is not."""

import sys
from math import inf, isnan, nan

import pytest
import torch
from restorers import random_clip

from vsr_core.clip import resize_bicubic
from vsr_core.compare import Rating, compare, table
from vsr_core.metrics import load_niqe, psnr, ssim, warping_error
from vsr_core.runtime import StandaloneRuntime


@pytest.fixture
def before():
    """Three frames, large enough for NIQE when enlarged, of a picture that moves by two pixels."""
    picture = resize_bicubic(random_clip(1, 30, 60), 100, 208)
    return torch.cat([picture[..., :96, 2 * t : 200 + 2 * t] for t in range(3)])


@pytest.fixture
def after(before):
    return (before * 0.8 + 0.2 * random_clip(3, 96, 200, seed=1)).clamp(0, 1)


def rate(before, after, reference=None) -> Rating:
    return compare(before, after, reference, view="strip", runtime=StandaloneRuntime("cpu")).rating


def test_a_reference_is_measured_against_by_psnr_and_ssim(before, after):
    reference = before.flip(-1)
    rating = rate(before, after, reference)
    assert set(rating.values) == {"psnr", "ssim"}
    assert not rating.missing
    for row, clip in (("before", before), ("after", after)):
        assert rating.values["psnr"][row] == pytest.approx(psnr(clip, reference).tolist(), rel=1e-5)
        assert rating.values["ssim"][row] == pytest.approx(ssim(clip, reference).tolist(), rel=1e-5)
    assert rating.mean("psnr", "after") == pytest.approx(psnr(after, reference).mean().item(), rel=1e-5)


def test_without_a_reference_niqe_and_the_warping_error_are_measured(before, after, niqe_weights):
    rating = rate(before, after)
    niqe = load_niqe(niqe_weights)
    for row, clip in (("before", before), ("after", after)):
        assert rating.values["niqe"][row] == pytest.approx(niqe(clip).tolist(), rel=1e-5)
        first, *others = rating.values["ewarp"][row]
        assert isnan(first)  # no frame before it
        assert others == pytest.approx(warping_error(clip).tolist(), rel=1e-5)
    assert rating.mean("ewarp", "before") == pytest.approx(warping_error(before).mean().item(), rel=1e-5)


def test_before_is_measured_in_the_size_of_after(before, after):
    small = resize_bicubic(before, 24, 50)
    found = rate(small, after, before).values["psnr"]["before"]
    assert found == pytest.approx(psnr(resize_bicubic(small, 96, 200), before).tolist(), rel=1e-4)


def test_niqe_without_its_weights_is_named_and_the_rest_is_measured(before, after, weights):
    rating = rate(before, after)
    assert set(rating.values) == {"ewarp"}
    assert str(weights) in rating.missing["niqe"]
    text = table(rating)
    assert text.splitlines()[2].split("|")[2].strip() == "missing"
    assert "NIQE is missing: niqe.safetensors was not found" in text


def test_frames_too_small_for_a_metric_are_named_with_their_size(niqe_weights):
    rating = rate(random_clip(2, 12, 16), random_clip(2, 48, 64))
    assert "64x48" in rating.missing["niqe"]
    assert set(rating.values) == {"ewarp"}


@pytest.mark.parametrize(
    ("package", "reference", "metrics", "install"),
    [("torchmetrics.functional", True, {"psnr", "ssim"}, "torchmetrics"), ("cv2", False, {"ewarp"}, "opencv-python")],
)
def test_a_package_that_is_not_there_is_named_with_how_to_get_it(
    before, after, package, reference, metrics, install, niqe_weights, monkeypatch
):
    monkeypatch.setitem(sys.modules, package, None)
    rating = rate(before, after, before if reference else None)
    assert set(rating.missing) == metrics
    assert all("pip install" in reason and install in reason for reason in rating.missing.values())
    assert table(rating).count("is missing") == len(metrics)


def test_a_single_frame_has_no_warping_error_and_the_table_says_why(before, after):
    rating = rate(before[:1], after[:1])
    assert isnan(rating.mean("ewarp", "after"))
    assert "two frames of one scene" in table(rating)


def test_nothing_is_measured_if_not_asked_for(before, after):
    runtime = StandaloneRuntime("cpu")
    rating = compare(before, after, measure=False, runtime=runtime).rating
    assert (rating.metrics, rating.values, rating.missing) == ((), {}, {})
    assert "measure is off" in table(rating)


def test_the_table_holds_means_and_their_change():
    values = {
        "psnr": {"before": [20.0, 22.0], "after": [24.0, 24.5]},
        "ssim": {"before": [nan, 0.5], "after": [0.75, 0.25]},
    }
    rating = Rating(metrics=("psnr", "ssim"), values=values, missing={})
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table(rating).splitlines()[:5]]
    assert cells[0] == ["", "PSNR [dB]", "SSIM"]
    assert cells[2:] == [["before", "21.00", "0.5000"], ["after", "24.25", "0.5000"], ["change", "+3.25", "+0.0000"]]
    assert "PSNR [dB]: higher is better. SSIM: higher is better." in table(rating)


def test_equal_clips_have_an_infinite_psnr_and_no_change():
    rating = Rating(metrics=("psnr",), values={"psnr": {"before": [30.0], "after": [inf]}}, missing={})
    lines = table(rating).splitlines()
    assert lines[3].split("|")[2].strip() == "inf"
    assert lines[4].split("|")[2].strip() == "-"
    assert "no value" not in table(rating)
