"""The network is Wan2.1-T2V-1.3B's with a second input, and learns in all its parts."""

from dataclasses import replace

import pytest
import torch
from architectures.duo_vsr.published import OFFICIAL, tiny_network

from vsr_core.architectures.duo_vsr import PAPER, SMALL, TINY
from vsr_core.architectures.duo_vsr.network import DuoVSR, enlarged, one_step


def on_meta(config) -> DuoVSR:
    with torch.device("meta"):
        return DuoVSR(config)


def count(module: torch.nn.Module) -> int:
    return sum(value.numel() for value in module.parameters())


@pytest.fixture(scope="module")
def paper() -> DuoVSR:
    return on_meta(PAPER)


def test_the_papers_dit_has_1419_million_parameters_and_its_autoencoder_127(paper):
    assert count(paper.dit) == 1_419_095_104
    assert count(paper.vae) == 126_892_531


def test_the_second_input_is_all_that_the_dit_has_more_than_wans(paper):
    extra = PAPER.latent_channels * PAPER.width * PAPER.patch**2
    assert count(paper.dit) - extra == sum(torch.Size(shape).numel() for shape in OFFICIAL["dit"].values())


def test_beside_dit_and_autoencoder_there_is_only_the_prompt(paper):
    rest = {name: tuple(v.shape) for name, v in paper.state_dict().items() if not name.startswith(("dit.", "vae."))}
    assert rest == {"prompt": (512, 4096)}


def test_the_built_in_size_fits_into_8_megabytes_of_half_precision():
    assert 2 * count(on_meta(SMALL)) < 8e6


@pytest.mark.parametrize("config", [SMALL, TINY])
@pytest.mark.parametrize("frames", [1, 5])
def test_frames_come_out_four_times_as_large(config, frames):
    height, width = 2 * config.multiple, 3 * config.multiple
    noise = torch.randn((frames + 3) // 4, config.latent_channels, height // 2, width // 2)
    found = DuoVSR(config)(torch.rand(frames, 3, height, width), noise)
    assert found.shape == (frames, 3, 4 * height, 4 * width)


def test_shots_of_a_batch_are_restored_as_each_alone():
    network = DuoVSR(TINY).requires_grad_(False)
    clips, noise = torch.rand(2, 5, 3, 8, 12), torch.randn(2, 2, 4, 4, 6)
    alone = torch.stack([network(*shot) for shot in zip(clips, noise)])
    torch.testing.assert_close(network(clips, noise), alone, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(alone[0], alone[1], atol=1e-2)


def test_one_that_predicts_a_difference_begins_as_bicubic_interpolation():
    network, clip = DuoVSR(replace(TINY, bicubic_skip=True)), torch.rand(5, 3, 8, 12)
    assert torch.equal(network(clip, torch.randn(2, 4, 4, 6)), enlarged(clip))


def test_a_velocity_of_noise_minus_latent_gives_the_latent_back():
    latent, noise = torch.randn(3, 4, 4, 6), torch.randn(3, 4, 4, 6)
    clean = one_step(lambda both: both[:, :4] - both[:, 4:], latent, noise, TINY)
    torch.testing.assert_close(clean, latent, rtol=1e-5, atol=1e-5)


def test_the_dit_sees_noise_first_and_the_normalised_latent_second():
    latent, noise = torch.randn(3, 4, 4, 6), torch.randn(3, 4, 4, 6)
    seen = []
    one_step(lambda both: seen.append(both) or both[:, :4], latent, noise, TINY)
    mean, std = (torch.tensor(values).view(4, 1, 1) for values in (TINY.latent_mean, TINY.latent_std))
    first, second = seen[0][0].transpose(0, 1).chunk(2, 1)
    assert torch.equal(first, noise)
    torch.testing.assert_close(second, (latent - mean) / std)


def test_every_parameter_learns_from_the_result():
    network = tiny_network().requires_grad_(True)
    network(torch.rand(5, 3, 8, 12), torch.randn(2, 4, 4, 6)).square().mean().backward()
    still = [name for name, value in network.named_parameters() if value.grad is None or not value.grad.any()]
    assert still == []
