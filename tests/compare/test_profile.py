"""The middle row of pixels over time."""

import numpy as np
import torch

from vsr_core.compare import Profile
from vsr_core.compare.picture import GAP
from vsr_core.compare.profile import LOWEST


def drawn(**clips) -> np.ndarray:
    profile = Profile()
    moments = [dict(zip(clips, frames)) for frames in zip(*clips.values())]
    assert list(profile.watch(moments)) == moments
    return np.asarray(profile.picture())


def test_time_runs_downwards_and_each_row_has_a_profile_of_its_own():
    clip = torch.rand(LOWEST // 2, 3, 9, 80, generator=torch.Generator().manual_seed(0))
    picture = drawn(SR=clip, HR=1 - clip)
    assert picture.shape == (2 * LOWEST + GAP, 80, 3)
    middle = (clip[:, :, 4, 40:] * 255).round().byte().permute(0, 2, 1).numpy()
    np.testing.assert_array_equal(picture[:LOWEST:2, 40:], middle)
    np.testing.assert_array_equal(picture[1:LOWEST:2, 40:], middle)
    inverted = ((1 - clip[:, :, 4, 40:]) * 255).round().byte().permute(0, 2, 1).numpy()
    np.testing.assert_array_equal(picture[LOWEST + GAP :: 2, 40:], inverted)


def test_many_frames_keep_one_line_each():
    assert drawn(SR=torch.zeros(LOWEST + 5, 3, 4, 40)).shape == (LOWEST + 5, 40, 3)
