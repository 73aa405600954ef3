"""The teachers of both stages."""

from pathlib import Path

import pytest
import torch
from training.runs import CPU, first_batch

from vsr_core.errors import SettingError
from vsr_core.training.adc_vsr import stage1, stage2
from vsr_core.training.adc_vsr.teachers import GROUND_TRUTH, choose_teacher


class Grey:
    name = "grey"

    def __call__(self, lr, hr):
        return hr * 0


def test_the_truth_stands_in_for_a_teacher():
    hr = torch.rand(1, 2, 3, 8, 8)
    assert GROUND_TRUTH(hr[..., ::4, ::4], hr) is hr
    assert choose_teacher(CPU.device, teacher_clips=None, dove=None).name == "ground truth"


def test_clips_on_disk_come_with_the_data():
    assert choose_teacher(CPU.device, teacher_clips=Path("clips"), dove=None).name == "teacher clips"


def test_two_teachers_are_one_too_many():
    with pytest.raises(SettingError, match="choose one"):
        choose_teacher(CPU.device, teacher_clips=Path("clips"), dove=Path("dove"))


@pytest.mark.parametrize("stage", [stage1, stage2])
def test_the_student_learns_from_the_teacher(stage):
    config = stage.tiny()
    run = stage.build(config, CPU)
    run.teacher = Grey()
    batch = first_batch(stage.dataset(config, None))
    with torch.no_grad(), CPU.autocast():
        restored = run.student.network(batch[0] * 2 - 1).frames
    assert run.step(batch, 0)["l1"] == pytest.approx(restored.float().abs().mean().item(), rel=1e-2)
    _, metadata = run.model(done=1)
    assert "grey as teacher" in metadata.source


@pytest.mark.parametrize("stage", [stage1, stage2])
def test_every_option_for_data_is_an_option_of_the_recipe(stage):
    assert set(stage.DATA_FILES) <= stage.ARGUMENTS.keys()
