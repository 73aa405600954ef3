"""OS-DiffVSR from scratch: frames meet those of their own clip, and every part learns."""

from dataclasses import replace

import pytest
import torch
from restorers import random_clip
from training.runs import CPU, exported, first_batch, moved, weights_before

from vsr_core.architectures.os_diffvsr import SMALL, TINY
from vsr_core.architectures.os_diffvsr.network import OSDiffVSR, enlarged
from vsr_core.contract import FusionSettings
from vsr_core.flow import align, estimator
from vsr_core.load import cast, load_restorer
from vsr_core.training.data import SyntheticClips
from vsr_core.training.os_diffvsr.alignment import INNER, align_clips
from vsr_core.training.os_diffvsr.pretrain import FLOW, build, dataset, small, tiny
from vsr_core.training.pretrain import Pretrain


def run(**changes) -> Pretrain:
    return build(replace(tiny(), **changes), CPU)


def clips() -> SyntheticClips:
    return dataset(tiny(), None)


@pytest.fixture(scope="module")
def batch() -> tuple[torch.Tensor, torch.Tensor]:
    return first_batch(clips())


@pytest.mark.parametrize("alignment", ["pixels", "latents"])
def test_gradients_reach_every_weight(batch, alignment):
    learning = run(network=replace(TINY, alignment=alignment))
    (before,) = weights_before(learning.student.network)
    assert {name.split(".")[0] for name in before} == {"unet", "vae", "fusion", "prompt"}
    for index in range(4):
        learning.step(batch, index)
    assert moved(learning.student.network, before) == before.keys()


def test_frames_are_aligned_within_their_own_clip(batch):
    aligned = align_clips(batch[0], estimator(FLOW))
    assert aligned.frame.tolist() == [0, 1, 2, 3, 4, 5]
    assert aligned.previous.tolist() == [0, 0, 1, 3, 3, 4]
    assert aligned.next.tolist() == [1, 2, 2, 4, 5, 5]
    second = align(batch[0][1], estimator(FLOW))
    assert torch.equal(aligned.next_flow[3:], second.next_flow)
    inner = align_clips(batch[0], estimator(FLOW), INNER)
    assert inner.frame.tolist() == [1, 4]
    assert torch.equal(inner.previous_flow, aligned.previous_flow[[1, 4]])


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


def test_the_built_in_models_run_trains_its_network_from_bicubic():
    assert small().network == SMALL
    assert SMALL.bicubic_skip
