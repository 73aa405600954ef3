"""A DUO-VSR from scratch begins as a wavelet transform of frames, with their edges put back in place, else at rest."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from vsr_core.architectures.duo_vsr import SMALL, TINY
from vsr_core.architectures.duo_vsr.autoencoder_blocks import RMSNorm
from vsr_core.architectures.duo_vsr.network import DuoVSR, as_video, enlarged, frames_of, one_step
from vsr_core.training.data import SyntheticClips
from vsr_core.training.duo_vsr.beginning import begin


def beginner(config) -> DuoVSR:
    torch.manual_seed(0)
    network = DuoVSR(config)
    begin(network)
    return network.requires_grad_(False)


@pytest.fixture(scope="module")
def clip() -> Tensor:
    return SyntheticClips(frames=9, size=128)[1][0]


def latents(network: DuoVSR, clip: Tensor) -> Tensor:
    return frames_of(network.parts()["encoder"](as_video(enlarged(clip))))


def brightness(frames: Tensor) -> Tensor:
    return avg_pool2d(frames, 2)


def detail(frames: Tensor) -> Tensor:
    return frames[..., ::2, ::2] - frames[..., ::2, 1::2] + frames[..., 1::2, ::2] - frames[..., 1::2, 1::2]


def correlation(first: Tensor, second: Tensor) -> float:
    inside = (..., slice(1, -1), slice(1, -1))
    return torch.corrcoef(torch.stack([first[inside].flatten(), second[inside].flatten()]))[0, 1].item()


@pytest.mark.parametrize("config", [SMALL, replace(TINY, latent_channels=3, latent_mean=(0,) * 3, latent_std=(1,) * 3)])
def test_latents_begin_with_the_brightness_of_the_first_frame_and_of_the_first_of_each_four(config, clip):
    found = latents(beginner(config), clip)[:, :3]
    wanted = brightness(clip[[0, 1, 5]])
    assert min(correlation(found[:, color], wanted[:, color]) for color in range(3)) > 0.98


def test_latents_of_many_channels_are_brightness_and_detail_of_four_frames(clip):
    found = latents(beginner(SMALL), clip)[1:].unflatten(1, (4, 4, 3))
    for frame in range(4):
        wanted = clip[[1 + frame, 5 + frame]]
        assert correlation(found[:, frame, 0], brightness(wanted)) > 0.98
        assert correlation(found[:, frame, 1], detail(wanted)) > 0.9


def test_no_latent_is_empty(clip):
    assert latents(beginner(SMALL), clip)[1:].std((0, 2, 3)).min() > 0.01


def test_norms_keep_strengths_as_they_are(clip):
    network = beginner(SMALL)
    norms = {name: module for name, module in network.vae.named_modules() if isinstance(module, RMSNorm)}
    seen = {}
    for name, norm in norms.items():
        norm.register_forward_hook(lambda _, given, result, name=name: seen.update({name: (given[0], result)}))
    with torch.enable_grad():  # without, norm and activation are one
        network(clip, torch.zeros(3, 48, 16, 16))
    assert seen.keys() == norms.keys()
    for name, (given, result) in seen.items():
        assert correlation(given[..., :-1].mT, result[..., :-1].mT) > 0.9, name


def test_the_step_changes_no_latent_whatever_the_noise(clip):
    network = beginner(SMALL)
    latent, noise = torch.rand(2, 48, 8, 8), torch.randn(2, 48, 8, 8)
    assert torch.equal(one_step(network.parts()["denoiser"], latent, noise, SMALL), latent)


def test_the_dit_does_not_hear_the_noise():
    network = beginner(SMALL)
    torch.nn.init.normal_(network.dit.proj_out.weight)
    latent = torch.rand(2, 48, 8, 8)
    first, second = (one_step(network.parts()["denoiser"], latent, torch.randn(2, 48, 8, 8), SMALL) for _ in range(2))
    assert torch.equal(first, second)
    assert not torch.equal(first, latent)


def test_the_decoders_first_feature_are_the_edges_of_the_frame_it_becomes(clip):
    network = beginner(SMALL)
    seen = []
    network.vae.decoder.norm_out.register_forward_hook(lambda _, given, __: seen.append(given[0]))
    with torch.enable_grad():  # without, norm and activation are one
        network(clip, torch.zeros(3, 48, 16, 16))
    found = torch.cat([frames[..., 0].reshape(-1, 128, 128) for frames in seen])
    assert len(found) == 9
    wanted = [edges(frame) for frame in clip]
    for index, frame in enumerate(found):
        likeness = [correlation(frame[24:-24, 24:-24], other[24:-24, 24:-24]) for other in wanted]
        assert max(likeness) == likeness[index] > 0.8


def edges(frame: Tensor) -> Tensor:
    gray = frame.mean(0, keepdim=True)
    return interpolate((gray - avg_pool2d(gray, 3, 1, 1))[None], scale_factor=4, mode="bilinear")[0, 0]
