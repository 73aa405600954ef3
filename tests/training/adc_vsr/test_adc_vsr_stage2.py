"""The stage-2 recipe: each optimiser moves its own network alone, losses fall, and resuming equals not stopping."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from restorers import random_clip, tiny_network
from training.runs import CPU, exported, first_batch, learning, moved, resumes_to_the_same, weights_before

from vsr_core.architectures.adc_vsr import SMALL, TINY
from vsr_core.checkpoints.metadata import Metadata, config_to_json
from vsr_core.checkpoints.write import write_model
from vsr_core.errors import SettingError
from vsr_core.load import load_restorer
from vsr_core.training.adc_vsr.losses import adversarial
from vsr_core.training.adc_vsr.stage2 import Stage2, build, dataset, paper, small, tiny
from vsr_core.training.losses import feature_l1, pixel_l1


def stage(**changes) -> Stage2:
    return build(replace(tiny(), **changes), CPU)


def parts(run: Stage2) -> dict[str, torch.nn.Module]:
    return {name: learner.network for name, learner in run.stateful.items()}


@pytest.fixture(scope="module")
def batch():
    return first_batch(dataset(tiny(), None))


def test_the_student_comes_nearer_to_the_teacher(batch):
    run = stage(steps=20, halve_every=100)
    figures = [run.step(batch, index) for index in range(20)]
    assert figures[-1]["loss"] < 0.8 * figures[0]["loss"]
    assert figures[-1]["l1"] < 0.8 * figures[0]["l1"]


def test_the_discriminators_learn_the_kinds(batch):
    run = stage(learning_rate=0.0, critic_rate=1e-2, halve_every=100)
    figures = [run.step(batch, index) for index in range(15)]
    assert figures[-1]["pixel_critic"] < figures[0]["pixel_critic"] - 0.5
    assert figures[-1]["feature_critic"] < figures[0]["feature_critic"] - 0.5


@pytest.mark.parametrize(
    ("rates", "learns"),
    [({"critic_rate": 0.0}, {"student"}), ({"learning_rate": 0.0}, {"pixel_critic", "feature_critic"})],
)
def test_each_optimiser_moves_its_own_weights_and_no_others(batch, rates, learns):
    run = stage(**rates)
    networks = parts(run)
    before = dict(zip(networks, weights_before(*networks.values())))
    expected = {name: learning(network) if name in learns else set() for name, network in networks.items()}
    for index in range(2):
        run.step(batch, index)
    assert {name: moved(network, before[name]) for name, network in networks.items()} == expected


def test_no_gradient_is_left_behind(batch):
    run = stage()
    run.step(batch, 0)
    assert all(value.grad is None for network in parts(run).values() for value in network.parameters())
    frozen_features = run.real_features.parameters()
    assert not any(value.requires_grad for value in frozen_features)


def test_the_students_loss_is_equations_1_to_3(batch):
    config = replace(tiny(), pixel_weight=0.5, feature_weight=2.0, adversarial_weight=0.25, learning_rate=0.0)
    whole = build(config, CPU)
    run = Stage2(
        config,
        accelerator=CPU,
        student=whole.student.network,
        pixel_critic=whole.pixel_critic.network,
        feature_critic=whole.feature_critic.network,
        real_features=whole.real_features,
        distance=lambda student, teacher: (student - teacher).square().mean((1, 2, 3)) * 0 + 0.375,
    )
    lr, hr = (clip * 2 - 1 for clip in batch[:2])
    with torch.no_grad(), CPU.autocast():
        student = run.student.network(lr)
        places = torch.arange(6).view(2, 3)
        fooled = [
            adversarial(critic.network(seen.flatten(0, 1), places)).item()
            for critic, seen in ((run.pixel_critic, student.frames), (run.feature_critic, student.feature))
        ]
        features = feature_l1(student.feature, run.real_features(hr)).item()
    pixels = pixel_l1(student.frames, hr).item()
    expected = 0.5 * (pixels + 0.375 + 0.25 * fooled[0]) + 2.0 * (features + 0.25 * fooled[1])
    assert run.step(batch, 0)["loss"] == pytest.approx(expected, rel=2e-3)


def test_activations_computed_twice_teach_the_same(batch):
    plain, twice = stage(), stage(recompute=True)
    figures = [[run.step(batch, index) for index in range(2)] for run in (plain, twice)]
    assert figures[1][1] == pytest.approx(figures[0][1], rel=1e-3)


def test_the_rates_are_halved_and_are_each_networks_own(batch):
    run = stage(learning_rate=8e-4, critic_rate=2e-4, halve_every=5)
    rates = []
    for index in (4, 5):
        run.step(batch, index)
        rates.append([learner.optimizer.param_groups[0]["lr"] for learner in run.stateful.values()])
    assert rates == [[8e-4, 2e-4, 2e-4], [4e-4, 1e-4, 1e-4]]


def test_resuming_equals_not_stopping(tmp_path):
    config = replace(tiny(), steps=4, ema=0.9)
    assert resumes_to_the_same(lambda: build(config, CPU), dataset(config, None), tmp_path, stop=2)
    finals = [json.loads((tmp_path / name / "log.jsonl").read_text().splitlines()[-1]) for name in ("whole", "resumed")]
    for figures in finals:
        del figures["time"]
    assert finals[0] == finals[1]


def test_a_run_on_stage_1s_model_starts_as_it_is_and_exports_a_restorer(tmp_path, batch):
    student = tiny_network(TINY, seed=3)
    metadata = Metadata(architecture="adc_vsr", config=config_to_json(TINY))
    path = write_model(tmp_path / "stage1.safetensors", student.state_dict(), metadata)
    run = build(tiny(), CPU, init=path)
    before = student.state_dict()
    assert all(torch.equal(value, before[name]) for name, value in run.student.network.state_dict().items())
    unet = run.feature_critic.network.clip_backbone.state_dict()
    assert all(
        torch.equal(unet[name], value) for name, value in student.denoiser.state_dict().items() if "conv_in" not in name
    )
    run.step(batch, 0)
    restorer = load_restorer(exported(run, tmp_path / "stage2.safetensors"))
    clip = random_clip(2)
    assert restorer.decode(restorer.step(restorer.encode(clip)), clip).isfinite().all()


def test_a_run_may_do_without_the_feature_discriminator_and_look_at_parts(batch):
    run = stage(feature_weight=0.0, critic_size=32)
    assert run.stateful.keys() == {"student", "pixel_critic"}
    data = dataset(replace(tiny(), critic_size=32), None)
    assert run.step(first_batch(data), 0).keys() == {"loss", "l1", "psnr", "fooling", "pixel_critic"}


def test_the_papers_run_has_the_papers_values():
    run = paper()
    assert (run.steps, run.batch, run.frames, run.size) == (200_000, 8, 25, 512)
    assert (run.learning_rate, run.critic_rate, run.halve_every) == (1e-5, 1e-7, 100_000)
    assert (run.pixel_weight, run.dists_weight, run.feature_weight, run.adversarial_weight) == (0.1, 1.0, 1.0, 1.0)
    assert run.heads == (192, 64)
    assert run.backbone == "convnext"
    assert small().network == SMALL


def test_a_run_says_which_files_it_lacks():
    with pytest.raises(SettingError, match="needs --init, --convnext, --vae, --half-decoder;"):
        build(paper(), CPU)
    with pytest.raises(SettingError, match="needs --init;"):
        build(small(), CPU)


def test_data_are_a_pair_a_video_an_image_and_other_images():
    config = replace(tiny(), critic_size=32)
    data = dataset(config, None)
    lr, hr, video, image, others = data[3]
    assert [clip.shape for clip in (lr, hr, video, image, others)] == [
        (3, 3, 16, 16),
        (3, 3, 64, 64),
        (3, 3, 32, 32),
        (1, 3, 32, 32),
        (3, 3, 32, 32),
    ]
    assert all(clip.min() >= 0 and clip.max() <= 1 for clip in data[3])
    assert all(torch.equal(one, other) for one, other in zip(data[3], dataset(config, None)[3]))
    assert not any(torch.equal(one, other) for one, other in zip(data[3], data[4]))
    assert (video[0] - video[1]).abs().mean() < (others[0] - others[1]).abs().mean()


@pytest.mark.parametrize(("photographs", "of_photographs"), [(1.0, True), (0.0, False)])
def test_images_are_photographs_where_the_run_says_so_and_videos_are_videos(tmp_path, photographs, of_photographs):
    """Videos are black, the photograph is white."""
    np.save(tmp_path / "black.npy", np.zeros((4, 80, 80, 3), np.uint8))
    Image.new("RGB", (120, 120), "white").save(tmp_path / "white.png")
    _, _, video, image, others = dataset(replace(tiny(), photographs=photographs), [tmp_path])[0]
    assert video.max() == 0
    assert {bool(frame.min() == 1) for frame in (image, *others)} == {of_photographs}
