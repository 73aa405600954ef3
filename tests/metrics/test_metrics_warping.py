from math import isnan

import pytest
import torch
from torch import Tensor

from vsr_core.errors import ClipError
from vsr_core.metrics.warping import Motion, motion, pair_error, warping_error


def test_a_moved_picture_has_no_warping_error(panning_clip: Tensor):
    errors = warping_error(panning_clip)

    assert errors.shape == (3,)
    assert errors.max() < 0.05


def test_flicker_adds_its_square_to_the_warping_error(panning_clip: Tensor):
    flickering = panning_clip.clone()
    flickering[1::2] += 0.1

    added = warping_error(flickering, panning_clip) - warping_error(panning_clip)

    torch.testing.assert_close(added, torch.full((3,), 10.0), atol=0.1, rtol=0)  # 0.1 ** 2, in 1e-3


def test_motion_of_a_panning_camera_is_its_shift(panning_clip: Tensor):
    found = motion(panning_clip[0], panning_clip[1])

    x, y = found.flow[:, found.visible]
    assert x.median().item() == pytest.approx(-3, abs=0.1)
    assert y.median().item() == pytest.approx(0, abs=0.1)


def test_pixels_that_leave_the_frame_do_not_count(panning_clip: Tensor):
    visible = motion(panning_clip[0], panning_clip[1]).visible

    assert not visible[:, :2].any()
    assert visible.float().mean() > 0.9


def test_a_pair_without_visible_pixels_gives_nan(panning_clip: Tensor):
    nothing = Motion(flow=torch.zeros(2, 128, 160), visible=torch.zeros(128, 160, dtype=torch.bool))

    assert isnan(pair_error(panning_clip[0], panning_clip[1], nothing))


def test_a_flow_source_of_another_size_is_refused(panning_clip: Tensor):
    with pytest.raises(ClipError, match="same shape"):
        warping_error(panning_clip, panning_clip[..., :100])


def test_frames_too_small_for_the_flow_are_refused(panning_clip: Tensor):
    with pytest.raises(ClipError, match="at least 16x16 pixels, got 160x15"):
        warping_error(panning_clip[:, :, :15])
