"""A stage goes on from the model of the one before, or says what is missing."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from restorers import tiny_network
from training.runs import CPU, exported, first_batch

from vsr_core.architectures.duo_vsr import PAPER, SMALL, TINY
from vsr_core.checkpoints.header import read_header
from vsr_core.checkpoints.metadata import Metadata, config_to_json
from vsr_core.checkpoints.write import write_model
from vsr_core.errors import CheckpointError, SettingError
from vsr_core.load import identify, load_restorer
from vsr_core.models import built_in
from vsr_core.training.duo_vsr import base, stage1, stage2, stage3
from vsr_core.training.duo_vsr.start import start


def test_each_stage_goes_on_from_the_one_before_and_says_so(tmp_path):
    first = exported(base.build(base.tiny(), CPU), tmp_path / "base.safetensors")
    second = exported(stage1.build(stage1.tiny(), CPU, init=first), tmp_path / "stage1.safetensors")
    third = exported(stage2.build(stage2.tiny(), CPU, init=second, teacher=first), tmp_path / "stage2.safetensors")
    last = stage3.build(stage3.tiny(), CPU, init=third)
    source = last.model(done=1)[1].source
    stages = ("random weights", "base", "stage I,", "stage II,", "stage III,")
    assert [source.index(stage) for stage in stages] == sorted(source.index(stage) for stage in stages)
    assert load_restorer(exported(last, tmp_path / "stage3.safetensors")).config == TINY


def test_a_stage_has_the_weights_it_starts_from_and_the_licence(tmp_path):
    network = start(TINY, None, seed=3).network
    metadata = Metadata(architecture="duo_vsr", config=config_to_json(TINY), source="somewhere", licence="free")
    path = write_model(tmp_path / "model.safetensors", network.state_dict(), metadata)
    begun = start(TINY, path, seed=4)
    assert all(torch.equal(value, network.state_dict()[name]) for name, value in begun.network.state_dict().items())
    assert begun.model({}, "more")[1] == replace(metadata, source="somewhere; more")
    learning = {name.split(".")[0] for name, value in begun.network.named_parameters() if value.requires_grad}
    assert learning == {"dit"}


def test_both_score_models_start_as_the_teacher_and_the_student_as_the_stage_before(tmp_path):
    paths = []
    for seed in (1, 2):
        recipe = base.build(replace(base.tiny(), seed=seed), CPU)
        paths.append(exported(recipe, tmp_path / f"{seed}.safetensors"))
    run = stage2.build(stage2.tiny(), CPU, init=paths[0], teacher=paths[1])
    student, teacher = (start(TINY, path, seed=0).network.dit.state_dict() for path in paths)
    for found, expected in ((run.student.network, student), (run.fake.network.velocity, teacher)):
        assert all(torch.equal(found.dit.state_dict()[name], value) for name, value in expected.items())
    assert all(torch.equal(run.real.velocity.dit.state_dict()[name], value) for name, value in teacher.items())


def test_a_built_in_model_may_be_named():
    begun = start(SMALL, Path("duovsr-small"), seed=0)
    assert begun.source == identify(read_header(built_in()["duovsr-small"])).source
    assert "DUO-VSR's network from scratch" in begun.source


@pytest.mark.parametrize(
    ("build", "option"),
    [
        (lambda: stage1.build(stage1.small(), CPU), "--init"),
        (lambda: stage2.build(stage2.small(), CPU, init=Path("duovsr-small")), "--teacher"),
        (lambda: stage3.build(stage3.small(), CPU), "--init"),
    ],
)
def test_a_stage_of_a_real_size_does_not_start_from_random_weights(build, option):
    with pytest.raises(SettingError, match=option):
        build()


def test_a_model_of_another_size_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match=r"duovsr-small\.safetensors is of another size .* layers"):
        start(TINY, Path("duovsr-small"), seed=0)
    other = tiny_network()
    metadata = Metadata(architecture="adc_vsr", config=config_to_json(other.config))
    path = write_model(tmp_path / "other.safetensors", other.state_dict(), metadata)
    with pytest.raises(CheckpointError, match="other.safetensors is of adc_vsr"):
        start(TINY, path, seed=0)


@pytest.mark.parametrize("module", [base, stage1, stage2, stage3])
def test_the_papers_run_is_of_the_papers_network_and_saves_memory(module):
    config = module.paper()
    assert config.network == PAPER and config.recompute and config.frames == PAPER.window
    assert config.degradation.scale == 4 and config.size % (4 * PAPER.multiple) == 0


@pytest.mark.parametrize("module", [base, stage1, stage2, stage3])
def test_the_small_run_fits_the_built_in_model(module):
    config = module.small()
    assert config.network == SMALL and config.frames == SMALL.window
    assert config.size % (4 * SMALL.multiple) == 0


def test_a_small_stage_takes_a_step_from_the_built_in_model():
    config = replace(stage1.small(), batch=1, size=32)
    run = stage1.build(config, CPU, init=Path("duovsr-small"))
    assert run.step(first_batch(stage1.dataset(config, None), 1), 0)["loss"] < 1
