"""Settings that cannot work are refused where they are made."""

import pytest

from vsr_core.errors import SettingError
from vsr_core.tiling import Tiling


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"window": 0}, "window is 0; use 1 or more"),
        ({"overlap": -1}, "overlap is -1; use 0 or more"),
        ({"tile": 0}, "tile is 0; use 1 or more"),
        ({"tile_overlap": -8}, "tile_overlap is -8; use 0 or more"),
        ({"memory": 0}, "memory is 0; use 1 or more"),
        ({"window": 5, "overlap": 5}, "overlap is 5; it must be smaller than window, which is 5"),
        ({"tile": 32, "tile_overlap": 64}, "tile_overlap is 64; it must be smaller than tile, which is 32"),
    ],
)
def test_a_setting_that_cannot_work_is_named(settings, message):
    with pytest.raises(SettingError, match=message):
        Tiling(**settings)


def test_everything_is_automatic_at_first_and_shots_are_kept_apart():
    assert Tiling() == Tiling(window=None, overlap=None, tile=None, tile_overlap=None, scene_cuts=True)


def test_no_overlap_is_a_setting_too():
    assert Tiling(window=1, overlap=0, tile=16, tile_overlap=0).overlap == 0
