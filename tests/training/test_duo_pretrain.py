"""DUO-VSR from scratch: it starts as bicubic, reaches every part, and resumes as if it had never stopped."""

from dataclasses import replace

import pytest
import torch
from restorers import random_clip
from training.runs import CPU, exported, first_batch, moved, same_model, shortened, weights_before
from training.runs import run as train

from vsr_core.architectures.duo_vsr import SMALL, TINY
from vsr_core.architectures.duo_vsr.network import DuoVSR, enlarged
from vsr_core.load import cast, load_restorer
from vsr_core.schedulers.noise import frame_noise
from vsr_core.training.contact_sheet import contact_sheet
from vsr_core.training.data import SyntheticClips
from vsr_core.training.duo_vsr.pretrain import Pretrain, build, dataset, small, tiny
from vsr_core.training.losses import psnr

FROM_BICUBIC = replace(TINY, bicubic_skip=True, latent_skip=True)


def run(**changes) -> Pretrain:
    return build(replace(tiny(), **changes), CPU)


def clips() -> SyntheticClips:
    return dataset(tiny(), None)


@pytest.fixture(scope="module")
def batch() -> tuple[torch.Tensor, torch.Tensor]:
    return first_batch(clips())


def bicubic_psnr(batch: tuple[torch.Tensor, torch.Tensor]) -> float:
    lr, hr = (clips.flatten(0, 1) for clips in batch)
    return psnr(enlarged(lr), hr * 2 - 1).item()


def test_the_loss_falls(batch):
    learning = run(steps=12)
    figures = [learning.step(batch, index) for index in range(12)]
    assert figures[-1]["loss"] < 0.95 * figures[0]["loss"]
    assert figures[-1]["psnr"] > figures[0]["psnr"] + 0.4


def test_a_run_with_the_skips_starts_as_bicubic_and_gets_better(batch):
    clip = tuple(clips[:1] for clips in batch)
    learning = run(network=FROM_BICUBIC, steps=20, learning_rate=1e-3)
    figures = [learning.step(clip, index) for index in range(20)]
    assert figures[0]["psnr"] == pytest.approx(bicubic_psnr(clip), abs=1e-3)
    assert figures[-1]["psnr"] > bicubic_psnr(clip) + 0.02


@pytest.mark.parametrize("network", [TINY, FROM_BICUBIC])
def test_gradients_reach_every_weight(batch, network):
    learning = run(network=network)
    (before,) = weights_before(learning.student.network)
    assert {name.split(".")[0] for name in before} == {"dit", "vae", "prompt"}
    for index in range(4):
        learning.step(batch, index)
    assert moved(learning.student.network, before) == before.keys()


def test_every_clip_of_a_run_has_noise_of_its_own(batch):
    learning = run()
    first, second = learning._noises(batch[0], range(2))
    third = learning._noises(batch[0], range(2, 4))[0]
    assert first.shape == (2, TINY.latent_channels, 8, 8)
    assert not any(torch.equal(one, other) for one, other in ((first, second), (first, third), (second, third)))
    assert torch.equal(learning._noises(batch[0], range(1, 3))[0], second)


@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_resuming_equals_not_stopping(tmp_path, ema):
    changes = {"steps": 6, "ema": ema, "clip_norm": 1.0}
    whole = train(run(**changes), clips(), tmp_path / "whole")
    first_half = shortened(run(**changes), 3)
    train(first_half, clips(), tmp_path / "resumed")
    resumed = train(run(**changes), clips(), tmp_path / "resumed", resume=True)
    assert same_model(resumed, whole)


@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_the_exported_model_restores_as_the_network_does(tmp_path, batch, ema):
    learning = run(ema=ema)
    for index in range(3):
        learning.step(batch, index)
    exported(learning, tmp_path / "model.safetensors")
    restorer = cast(load_restorer(tmp_path / "model.safetensors"), torch.float32)
    expected = DuoVSR(TINY)
    expected.load_state_dict(learning.student.weights())
    clip = random_clip(5)
    noise = frame_noise((TINY.latent_channels, clip.shape[2] // 2, clip.shape[3] // 2), 0, range(2))
    with torch.no_grad():
        found = restorer.decode(restorer.step(restorer.encode(clip), noise=noise), clip)
        frames = (expected(clip, noise) + 1) / 2
    assert (found - frames).abs().max() < 0.01


def test_a_picture_shows_input_output_and_target(batch):
    assert contact_sheet(*run().sample(batch)).shape == (3, 2 * 64, 3 * 64)


def test_the_built_in_models_run_trains_its_network_from_bicubic():
    assert small().network == SMALL
    assert SMALL.bicubic_skip and SMALL.latent_skip
    assert small().frames == SMALL.window
