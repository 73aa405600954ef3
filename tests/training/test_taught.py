"""Pairs whose target is what a teacher made of the same video."""

import numpy as np
import pytest
import torch

from vsr_core.degradations import CLEAN
from vsr_core.errors import SettingError
from vsr_core.training.adc_vsr import stage1
from vsr_core.training.data import ClipDataset
from vsr_core.training.data.taught import TaughtClips

SHAPE = {"frames": 3, "size": 32, "degradation": CLEAN, "seed": 4}


def write(folder, name: str, frames: np.ndarray) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    np.save(folder / name, frames)


@pytest.fixture
def folders(tmp_path):
    """Return data and teacher; the teacher's clips are the originals, inverted."""
    rng = np.random.default_rng(0)
    for name in ("a.npy", "more/b.npy"):
        frames = rng.integers(0, 256, (5, 40, 48, 3), np.uint8)
        write(tmp_path / "data", name, frames)
        write(tmp_path / "teacher", name, 255 - frames)
    return tmp_path / "data", tmp_path / "teacher"


def test_the_target_is_the_teachers_clip_at_the_same_place(folders):
    data, teacher = folders
    taught, truth = TaughtClips([data], teacher, **SHAPE), ClipDataset([data], photographs=0.0, **SHAPE)
    for index in range(8):
        (lr, target), (true_lr, hr) = taught[index], truth[index]
        assert torch.allclose(target, 1 - hr, atol=1e-6)
        assert torch.equal(lr, true_lr)


def test_an_item_depends_on_its_number_alone(folders):
    data, teacher = folders
    first, again = (TaughtClips([data], teacher, **SHAPE) for _ in range(2))
    assert all(torch.equal(one, other) for one, other in zip(first[5], again[5]))
    assert not torch.equal(first[5][1], first[6][1])


def test_a_video_without_a_clip_of_the_teacher_is_named(folders):
    data, teacher = folders
    (teacher / "more" / "b.npy").unlink()
    with pytest.raises(SettingError, match=r"1 of 2 videos have no clip of the teacher \(.*b.npy\)"):
        TaughtClips([data], teacher, **SHAPE)


def test_a_clip_of_another_size_is_refused(folders):
    data, teacher = folders
    write(teacher, "a.npy", np.zeros((5, 40, 40, 3), np.uint8))
    with pytest.raises(SettingError, match="5 frames of 40x40, but .* has 5 of 48x40"):
        TaughtClips([data], teacher, **SHAPE)


def test_a_missing_folder_is_named(folders):
    with pytest.raises(SettingError, match="teacher's clips, .*nowhere, does not exist"):
        TaughtClips([folders[0]], folders[0] / "nowhere", **SHAPE)


def test_a_recipe_takes_the_teachers_folder_with_its_data(folders):
    data, teacher = folders
    assert isinstance(stage1.dataset(stage1.tiny(), None), torch.utils.data.Dataset)
    with pytest.raises(SettingError, match="name them by --data"):
        stage1.dataset(stage1.tiny(), None, teacher)
