from math import isnan

import pytest
import torch

from vsr_core.metrics import ClipResult, average, measure
from vsr_core.metrics.measure import (
    against_reference,
    alone,
    of_whole_clips,
    of_whole_clips_against_reference,
    warping,
)
from vsr_core.metrics.warping import warping_error


def brightness(clip):
    return clip.mean(dim=(1, 2, 3))


def difference(clip, reference):
    return (clip - reference).mean(dim=(1, 2, 3))


def moments(**clips):
    return (dict(zip(clips, frames)) for frames in zip(*clips.values()))


def test_scores_are_means_over_the_frames_of_each_row():
    ramp = torch.tensor([0.1, 0.2, 0.6]).reshape(3, 1, 1, 1).expand(3, 3, 4, 4)
    scores = {"level": alone(brightness), "error": against_reference(difference)}

    result = measure("ramp", moments(SR=ramp, HR=torch.zeros(3, 3, 4, 4)), scores)

    assert (result.name, result.frames) == ("ramp", 3)
    assert result.rows["SR"] == pytest.approx({"level": 0.3, "error": 0.3})
    assert result.rows["HR"] == {"level": 0.0}


def test_without_a_reference_only_metrics_of_single_rows_apply():
    clip = torch.full((2, 3, 4, 4), 0.5)

    result = measure("x", moments(SR=clip), {"level": alone(brightness), "error": against_reference(difference)})

    assert result.rows == {"SR": {"level": 0.5}}


def test_frames_without_a_value_do_not_count():
    values = iter([float("nan"), 2.0, 4.0])

    result = measure("x", moments(SR=torch.zeros(3, 3, 4, 4)), {"m": alone(lambda clip: torch.tensor(next(values)))})

    assert result.rows["SR"] == {"m": 3.0}
    assert isnan(result.values["m"]["SR"][0])
    assert result.values["m"]["SR"][1:] == [2.0, 4.0]


def test_metrics_of_whole_clips_see_all_frames_in_8_bits():
    ramp = torch.tensor([0.0, 0.2, 1.0]).reshape(3, 1, 1, 1).expand(3, 3, 4, 4)
    scores = {
        "span": of_whole_clips(lambda clip: (clip[-1] - clip[0]).mean().item()),
        "error": of_whole_clips_against_reference(lambda clip, reference: (clip - reference).mean().item()),
        "level": alone(brightness),
    }

    result = measure("ramp", moments(SR=ramp, HR=torch.full((3, 3, 4, 4), 0.2)), scores)

    assert list(result.rows["SR"]) == ["span", "error", "level"]
    assert result.rows["SR"] == pytest.approx({"span": 1.0, "error": 0.2, "level": 0.4})
    assert result.rows["HR"] == pytest.approx({"span": 0.0, "level": 0.2})
    assert list(result.values) == ["level"]


def test_metrics_of_whole_clips_against_a_reference_do_without_none():
    scores = {"error": of_whole_clips_against_reference(lambda clip, reference: 1.0)}

    assert measure("x", moments(SR=torch.zeros(2, 3, 4, 4)), scores).rows == {"SR": {}}


def test_streamed_warping_error_equals_that_of_the_whole_clip(panning_clip):
    flickering = panning_clip.clone()
    flickering[1::2] += 0.05

    result = measure("x", moments(SR=flickering, HR=panning_clip), {"ewarp": warping})

    assert result.rows["SR"]["ewarp"] == pytest.approx(warping_error(flickering, panning_clip).mean().item(), rel=1e-5)
    assert result.rows["HR"]["ewarp"] == pytest.approx(warping_error(panning_clip).mean().item(), rel=1e-5)


def test_streamed_warping_error_follows_the_rows_own_flow_without_a_reference(panning_clip):
    result = measure("x", moments(SR=panning_clip), {"ewarp": warping})

    assert result.rows["SR"]["ewarp"] == pytest.approx(warping_error(panning_clip).mean().item(), rel=1e-5)


def test_every_clip_counts_the_same_in_the_average():
    long = ClipResult(name="long", frames=90, rows={"SR": {"psnr": 30.0}, "HR": {}})
    short = ClipResult(name="short", frames=10, rows={"SR": {"psnr": 20.0}, "HR": {}})

    assert average([long, short]) == {"SR": {"psnr": 25.0}, "HR": {}}
