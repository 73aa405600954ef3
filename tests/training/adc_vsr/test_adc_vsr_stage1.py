"""The stage-1 recipe learns, reaches every weight, and resumes as if it had never stopped."""

import json
import math
from dataclasses import replace

import pytest
import torch
from restorers import random_clip, tiny_network
from training.runs import CPU, exported, first_batch, moved, resumes_to_the_same, weights_before
from training.runs import run as train

from vsr_core.architectures.adc_vsr import TINY
from vsr_core.architectures.adc_vsr.network import AdcVSR
from vsr_core.checkpoints.metadata import Metadata, config_to_json
from vsr_core.checkpoints.write import write_model
from vsr_core.errors import CheckpointError, SettingError
from vsr_core.load import cast, load_restorer
from vsr_core.training.adc_vsr.stage1 import Stage1, Stage1Config, build, dataset, paper, small, tiny
from vsr_core.training.adc_vsr.student import initialise
from vsr_core.training.contact_sheet import contact_sheet
from vsr_core.training.data import SyntheticClips


def stage(**changes) -> Stage1:
    return Stage1(replace(tiny(), **changes), accelerator=CPU)


def clips(config: Stage1Config | None = None) -> SyntheticClips:
    return dataset(config or tiny(), None)


@pytest.fixture(scope="module")
def batch() -> tuple[torch.Tensor, torch.Tensor]:
    return first_batch(clips())


def test_the_loss_falls(batch):
    run = stage(steps=25)
    figures = [run.step(batch, index) for index in range(25)]
    assert figures[-1]["loss"] < 0.7 * figures[0]["loss"]
    assert figures[-1]["psnr"] > figures[0]["psnr"] + 1


def test_every_weight_of_the_student_learns(batch):
    run = stage()
    (before,) = weights_before(run.student.network)
    for index in range(4):
        run.step(batch, index)
    assert moved(run.student.network, before) == before.keys()


def test_the_rate_follows_the_schedule(batch):
    run = stage(learning_rate=1e-3, warmup=2, steps=10)
    rates, nearly_over = [], 1 + math.cos(7 / 8 * math.pi)
    for index in (0, 1, 6, 9):
        run.step(batch, index)
        rates.append(run.student.optimizer.param_groups[0]["lr"])
    assert rates == pytest.approx([0.5e-3, 1e-3, 0.5e-3, 0.5e-3 * nearly_over])
    halved = stage(learning_rate=1e-3, warmup=0, halve_every=5)
    halved.step(batch, 7)
    assert halved.student.optimizer.param_groups[0]["lr"] == 0.5e-3


@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_resuming_equals_not_stopping(tmp_path, ema):
    config = replace(tiny(), steps=6, ema=ema)
    assert resumes_to_the_same(lambda: Stage1(config, accelerator=CPU), clips(), tmp_path, stop=3)
    finals = [json.loads((tmp_path / name / "log.jsonl").read_text().splitlines()[-1]) for name in ("whole", "resumed")]
    assert finals[0]["loss"] == finals[1]["loss"]


def test_a_run_of_other_settings_is_not_resumed(tmp_path):
    train(stage(steps=1), clips(), tmp_path)
    with pytest.raises(SettingError, match="learning_rate"):
        train(stage(steps=2, learning_rate=1.0), clips(), tmp_path, resume=True)
    with pytest.raises(SettingError, match="network"):
        train(stage(steps=2, network=replace(TINY, layers=2)), clips(), tmp_path, resume=True)


def test_a_run_may_be_resumed_for_more_steps(tmp_path):
    train(stage(steps=1), clips(), tmp_path)
    train(stage(steps=2), clips(), tmp_path, resume=True)
    assert json.loads((tmp_path / "log.jsonl").read_text().splitlines()[-1])["step"] == 2


@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_the_exported_model_restores_as_the_student_does(tmp_path, batch, ema):
    run = stage(ema=ema)
    for index in range(3):
        run.step(batch, index)
    exported(run, tmp_path / "model.safetensors")
    restorer = cast(load_restorer(tmp_path / "model.safetensors"), torch.float32)
    expected = AdcVSR(TINY)
    expected.load_state_dict(run.student.weights())
    clip = random_clip(3)
    with torch.no_grad():
        found = restorer.decode(restorer.step(restorer.encode(clip)), clip)
        frames = (expected(clip[None] * 2 - 1).frames[0] + 1) / 2
    assert (found - frames).abs().max() < 0.01


def test_the_same_seed_starts_from_the_same_weights():
    first, same, other = (stage(seed=seed).student.network.state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], same[name]) for name in first)
    assert not torch.equal(first["decoder.conv_out.weight"], other["decoder.conv_out.weight"])


def test_every_loss_term_has_its_weight(batch):
    config = replace(tiny(), pixel_weight=0.5, feature_weight=2.0)
    asked = []

    def distance(student, teacher):
        asked.append((student, teacher))
        return (student - teacher).square().mean() * 0 + 0.75

    run = Stage1(config, accelerator=CPU, distance=distance, teacher_features=lambda clip: torch.zeros(2, 3, 16, 8, 8))
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        feature = run.student.network(batch[0] * 2 - 1).feature.float().abs().mean().item()
    figures = run.step(batch, 0)
    assert figures["loss"] == pytest.approx(0.5 * figures["l1"] + 0.5 * 0.75 + 2.0 * feature, rel=1e-3)
    student, teacher = asked[0]
    assert student.shape == teacher.shape == (6, 3, 64, 64)
    assert student.min() >= 0
    assert student.max() <= 1
    assert torch.allclose(teacher, batch[1].flatten(0, 1), atol=1e-6)


def test_gradients_are_clipped_where_that_is_asked_for(batch):
    run, clipped = stage(learning_rate=1e-3), stage(learning_rate=1e-3, clip_norm=1e-12)
    for each in (run, clipped):
        each.step(batch, 0)
    assert run.student.optimizer.state_dict()["state"][0]["exp_avg"].abs().max() > 1e-6
    assert clipped.student.optimizer.state_dict()["state"][0]["exp_avg"].abs().max() < 1e-12


def test_a_picture_shows_input_output_and_target(batch):
    assert contact_sheet(*stage().sample(batch)).shape == (3, 2 * 64, 3 * 64)


def test_the_papers_losses_need_the_papers_files():
    with pytest.raises(SettingError, match="--vae and --half-decoder"):
        build(replace(tiny(), feature_weight=1.0), CPU)


def test_the_papers_run_has_the_papers_values():
    run = paper()
    assert (run.steps, run.batch, run.frames, run.size) == (200_000, 8, 25, 512)
    assert (run.learning_rate, run.halve_every) == (1e-4, 100_000)
    assert (run.pixel_weight, run.dists_weight, run.feature_weight) == (0.1, 1.0, 1.0)
    assert small().network.bicubic_skip


def test_training_starts_from_an_image_models_weights_and_temporal_blocks_at_identity(tmp_path):
    image = tiny_network(replace(TINY, temporal=False), seed=5)
    metadata = Metadata(architecture="adc_vsr", config=config_to_json(image.config))
    path = write_model(tmp_path / "image.safetensors", image.state_dict(), metadata)
    run = build(tiny(), CPU, init=path)
    clip = random_clip(4)[None]
    with torch.no_grad():
        assert torch.allclose(run.student.network(clip).frames, image(clip).frames, atol=1e-3)


def test_training_starts_from_no_weights_that_do_not_fit(tmp_path):
    other = tiny_network(replace(TINY, layers=2))
    metadata = Metadata(architecture="adc_vsr", config=config_to_json(other.config))
    path = write_model(tmp_path / "other.safetensors", other.state_dict(), metadata)
    with pytest.raises(CheckpointError, match="other.safetensors does not fit"):
        initialise(stage().student.network, path)
