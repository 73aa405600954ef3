"""DUO-VSR from scratch: every clip has noise of its own, and every part learns."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from restorers import random_clip
from training.runs import CPU, exported, first_batch, moved, weights_before

from vsr_core.architectures.duo_vsr import SMALL, TINY
from vsr_core.architectures.duo_vsr.network import DuoVSR
from vsr_core.load import cast, load_restorer
from vsr_core.schedulers.noise import frame_noise
from vsr_core.training.data import SyntheticClips
from vsr_core.training.duo_vsr import pretrain
from vsr_core.training.duo_vsr.pretrain import build, dataset, noises, small, small_lpips, tiny
from vsr_core.training.parts import same_parts
from vsr_core.training.pretrain import Pretrain

FROM_BICUBIC = replace(TINY, bicubic_skip=True, latent_skip=True)


def run(**changes) -> Pretrain:
    return build(replace(tiny(), **changes), CPU)


def clips() -> SyntheticClips:
    return dataset(tiny(), None)


@pytest.fixture(scope="module")
def batch() -> tuple[torch.Tensor, torch.Tensor]:
    return first_batch(clips())


@pytest.mark.parametrize("network", [TINY, FROM_BICUBIC])
def test_gradients_reach_every_weight(batch, network):
    learning = run(network=network)
    (before,) = weights_before(learning.student.network)
    assert {name.split(".")[0] for name in before} == {"dit", "vae", "prompt"}
    for index in range(4):
        learning.step(batch, index)
    assert moved(learning.student.network, before) == before.keys()


def test_every_clip_of_a_run_has_noise_of_its_own(batch):
    config = tiny()
    first, second = noises(batch[0], range(2), config)
    third = noises(batch[0], range(2, 4), config)[0]
    assert first.shape == (2, TINY.latent_channels, 8, 8)
    assert not any(torch.equal(one, other) for one, other in ((first, second), (first, third), (second, third)))
    assert torch.equal(noises(batch[0], range(1, 3), config)[0], second)


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


class SquaredError(torch.nn.Module):
    """In the place of LPIPS: two (N, 3, H, W) to (N, 1, 1, 1)."""

    def forward(self, frames: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return ((frames - target) ** 2).mean((1, 2, 3), keepdim=True)


def test_lpips_counts_as_often_as_the_config_says(monkeypatch, batch):
    monkeypatch.setattr(pretrain, "load_network", lambda folder: SquaredError())
    plain, both = run().step(batch, 0), run(lpips=0.5).step(batch, 0)
    squared = 4 * 10 ** (-both["psnr"] / 10)
    assert both["lpips"] == pytest.approx(squared, rel=1e-4)
    assert both["loss"] == pytest.approx(plain["loss"] + 0.5 * squared, rel=1e-4)


def test_lpips_looks_at_parts_where_the_config_says_so(monkeypatch, batch):
    seen = []

    class Recorder(SquaredError):
        def forward(self, frames, target):
            seen.append(target)
            return super().forward(frames, target)

    monkeypatch.setattr(pretrain, "load_network", lambda folder: Recorder())
    run(lpips=0.5, lpips_size=48).step(batch, 0)
    (cut,) = same_parts(batch[1] * 2 - 1, size=48, seed=0, items=range(2))
    assert len(seen) == 1 and seen[0].equal(cut)


def test_a_model_that_goes_on_from_another_keeps_its_licence():
    assert build(small(), CPU, init=Path("duovsr-small")).model(1)[1].licence == "Apache-2.0"


def test_the_built_in_models_run_trains_its_network_from_bicubic():
    assert small().network == SMALL
    assert SMALL.bicubic_skip and SMALL.latent_skip
    assert small().frames == SMALL.window
    assert (small_lpips().network, small_lpips().lpips) == (SMALL, 0.5)
