from pathlib import Path

import pytest

from vsr_core.errors import SettingError
from vsr_core.flow import DEFAULT, ESTIMATORS, RAFT, DisFlow, estimator


def test_every_method_without_weights_is_a_preset_of_dis():
    assert [estimator(name) for name in ESTIMATORS if name != RAFT] == [
        DisFlow("ultrafast"),
        DisFlow("fast"),
        DisFlow("medium"),
    ]


def test_the_default_needs_no_weights():
    assert estimator() == estimator(DEFAULT)
    assert DEFAULT in ESTIMATORS


def test_an_unknown_method_is_refused():
    with pytest.raises(SettingError, match="no optical flow method 'farneback'; choose one of dis-ultrafast, .*, raft"):
        estimator("farneback")


def test_raft_without_weights_is_refused():
    with pytest.raises(SettingError, match="needs a weights file"):
        estimator(RAFT)


def test_weights_for_a_method_without_them_are_refused():
    with pytest.raises(SettingError, match="dis-fast uses no weights, got .*raft.pth"):
        estimator("dis-fast", Path("raft.pth"))
