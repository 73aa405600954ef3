"""What the tests of long videos share: a small video of two shots with sound."""

from pathlib import Path

import numpy as np
import pytest
from media import gratings, make_video


@pytest.fixture(scope="session")
def video(tmp_path_factory) -> Path:
    """30 frames of 26x18 pixels at 25 per second, with a cut after 17."""
    clip = np.concatenate([gratings(17, 18, 26) // 2, 255 - gratings(13, 18, 26, seed=1) // 2])
    return make_video(tmp_path_factory.mktemp("video") / "in.mp4", clip=clip, rate=25)
