"""OS-DiffVSR from scratch: it starts as bicubic, reaches every part, and resumes as if it had never stopped."""

from dataclasses import replace

import pytest
import torch
from restorers import random_clip
from training.runs import CPU, exported, first_batch, moved, same_model, shortened, weights_before
from training.runs import run as train

from vsr_core.architectures.os_diffvsr import SMALL, TINY
from vsr_core.architectures.os_diffvsr.network import OSDiffVSR, enlarged
from vsr_core.contract import FusionSettings
from vsr_core.errors import SettingError
from vsr_core.flow import align, estimator
from vsr_core.load import cast, load_restorer
from vsr_core.training.contact_sheet import contact_sheet
from vsr_core.training.data import SyntheticClips
from vsr_core.training.losses import psnr
from vsr_core.training.os_diffvsr.pretrain import FLOW, Pretrain, build, dataset, small, tiny


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
    assert figures[-1]["loss"] < 0.8 * figures[0]["loss"]
    assert figures[-1]["psnr"] > figures[0]["psnr"] + 1


def test_a_run_with_the_skip_starts_as_bicubic_and_gets_better(batch):
    clip = tuple(clips[:1] for clips in batch)
    learning = run(network=replace(TINY, bicubic_skip=True), steps=15, learning_rate=5e-3)
    figures = [learning.step(clip, index) for index in range(15)]
    assert figures[0]["psnr"] == pytest.approx(bicubic_psnr(clip), abs=1e-3)
    assert figures[-1]["psnr"] > bicubic_psnr(clip) + 0.1


@pytest.mark.parametrize("alignment", ["pixels", "latents"])
def test_gradients_reach_every_weight(batch, alignment):
    learning = run(network=replace(TINY, alignment=alignment))
    (before,) = weights_before(learning.student.network)
    assert {name.split(".")[0] for name in before} == {"unet", "vae", "fusion", "prompt"}
    for index in range(4):
        learning.step(batch, index)
    assert moved(learning.student.network, before) == before.keys()


def test_frames_are_aligned_within_their_own_clip(batch):
    aligned = run()._aligned(batch[0])
    assert aligned.frame.tolist() == [0, 1, 2, 3, 4, 5]
    assert aligned.previous.tolist() == [0, 0, 1, 3, 3, 4]
    assert aligned.next.tolist() == [1, 2, 2, 4, 5, 5]
    second = align(batch[0][1], estimator(FLOW))
    assert torch.equal(aligned.next_flow[3:], second.next_flow)


@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_resuming_equals_not_stopping(tmp_path, ema):
    changes = {"steps": 6, "ema": ema, "clip_norm": 1.0}
    whole = train(run(**changes), clips(), tmp_path / "whole")
    first_half = shortened(run(**changes), 3)
    train(first_half, clips(), tmp_path / "resumed")
    resumed = train(run(**changes), clips(), tmp_path / "resumed", resume=True)
    assert same_model(resumed, whole)


def test_a_run_of_other_settings_is_not_resumed(tmp_path):
    train(run(steps=1), clips(), tmp_path)
    with pytest.raises(SettingError, match="clip_norm"):
        train(run(steps=2, clip_norm=1.0), clips(), tmp_path, resume=True)


@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_the_exported_model_restores_as_the_network_does(tmp_path, batch, ema):
    learning = run(ema=ema)
    for index in range(3):
        learning.step(batch, index)
    exported(learning, tmp_path / "model.safetensors")
    restorer = cast(load_restorer(tmp_path / "model.safetensors"), torch.float32)
    expected = OSDiffVSR(TINY)
    expected.load_state_dict(learning.student.weights())
    clip = random_clip(3)
    aligned = align(clip, estimator(FLOW))
    settings = FusionSettings()
    with torch.no_grad():
        latent = restorer.encode(restorer.fusion.sources(clip, aligned, settings))
        fused = restorer.fusion.fuse(latent, aligned, settings, None)
        found = restorer.decode(restorer.step(fused), clip)
        frames = (expected(clip, aligned) + 1) / 2
    assert (found - frames).abs().max() < 0.01


def test_the_encoder_still_gives_latents_without_spread_after_training(batch):
    learning = run()
    for index in range(2):
        learning.step(batch, index)
    moments = learning.student.network.parts()["encoder"](enlarged(batch[0][0]))
    assert moments[:, TINY.latent_channels :].max() < 1e-5
    assert moments[:, : TINY.latent_channels].std() > 1e-3


def test_a_picture_shows_input_output_and_target(batch):
    assert contact_sheet(*run().sample(batch)).shape == (3, 2 * 64, 3 * 64)


def test_the_built_in_models_run_trains_its_network_from_bicubic():
    assert small().network == SMALL
    assert SMALL.bicubic_skip
