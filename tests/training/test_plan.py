"""A plan makes the same training set again, or says what is missing."""

import json

import numpy as np
import pytest
from training.clip_files import moving, write_animation

from vsr_core.cli.main import main
from vsr_core.errors import SettingError
from vsr_core.training.data import read_plan

SETTINGS = {"frames": 5, "side": 64, "clips": 2}


@pytest.fixture
def media(tmp_path):
    """Two different files of one name, and a third."""
    for index, name in enumerate(("one/clip.webp", "two/clip.webp", "two/other.webp")):
        (tmp_path / "media" / name).parent.mkdir(parents=True, exist_ok=True)
        write_animation(tmp_path / "media" / name, moving(frames=20, seed=index))
    return tmp_path / "media"


def write_plan(folder, *sources, settings=SETTINGS):
    plan = folder / "plan.json"
    plan.write_text(json.dumps({"settings": settings, "sources": sources}))
    return plan


def test_the_command_cuts_what_the_plan_names_and_nothing_else(media, tmp_path, capsys):
    plan = write_plan(
        tmp_path,
        {"path": "two/clip.webp", "license": "CC0", "first": 10, "clips": 1},
        {"path": "other.webp", "license": "MIT", "box": [0, 0, 96, 64]},
    )
    assert main(["prepare-data", str(media), "--plan", str(plan), "-o", str(tmp_path / "out")]) == 0
    assert "wrote 3 clips of 2 files" in capsys.readouterr().out
    first, *others = (np.load(file) for file in sorted((tmp_path / "out" / "clips").glob("*.npy")))
    whole = moving(frames=20, seed=1)[10:15]
    corners = [whole[:, top : top + 64, left : left + 64] for top in range(33) for left in range(49)]
    assert any(np.array_equal(first, corner) for corner in corners)
    assert [clip.shape for clip in others] == [(5, 64, 64, 3)] * 2


def test_without_a_plan_everything_is_cut(media, tmp_path, capsys):
    assert main(["prepare-data", str(media), "-o", str(tmp_path / "out")]) == 0
    assert "of 3 files" in capsys.readouterr().out


def test_a_name_that_several_files_have_is_refused(media, tmp_path):
    with pytest.raises(SettingError, match=r"1 files of the plan are there more than once: clip\.webp"):
        read_plan(write_plan(tmp_path, {"path": "clip.webp"}), [media])


def test_files_that_are_missing_are_named(media, tmp_path):
    with pytest.raises(SettingError, match=r"1 files of the plan are not there: one/other\.webp"):
        read_plan(write_plan(tmp_path, {"path": "one/other.webp"}), [media])


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"settings": {"speed": 1}, "sources": []}', '{"settings": {}, "sources": [{"name": 1}]}']
)
def test_a_plan_that_is_none_is_refused_with_exit_code_2(media, tmp_path, capsys, text):
    plan = tmp_path / "plan.json"
    plan.write_text(text)
    assert main(["prepare-data", str(media), "--plan", str(plan), "-o", str(tmp_path / "out")]) == 2
    assert "is no plan with settings and sources" in capsys.readouterr().err


def test_a_plan_that_is_not_there_is_refused(media, tmp_path):
    with pytest.raises(SettingError, match="is no plan"):
        read_plan(tmp_path / "none.json", [media])
