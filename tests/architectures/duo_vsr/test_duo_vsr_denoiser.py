"""The DiT is diffusers' public one, takes one step from noise, and keeps its positions exact."""

import pytest
import torch
from architectures.duo_vsr.published import tiny_network
from torch import Tensor

from vsr_core.architectures.duo_vsr.config import PAPER, SMALL, TINY, DuoVSRConfig
from vsr_core.architectures.duo_vsr.denoiser import filled, predict_velocity
from vsr_core.architectures.duo_vsr.network import one_step
from vsr_core.architectures.duo_vsr.temporal import RotaryPositions


def diffusers_dit(config: DuoVSRConfig):
    """Return diffusers' transformer of `config` as it comes, with random weights."""
    from diffusers import WanTransformer3DModel

    return WanTransformer3DModel(
        patch_size=(1, config.patch, config.patch),
        num_attention_heads=config.heads,
        attention_head_dim=config.head_width,
        in_channels=2 * config.latent_channels,
        out_channels=config.latent_channels,
        text_dim=config.prompt_width,
        freq_dim=config.time_width,
        ffn_dim=config.ffn_width,
        num_layers=config.layers,
    ).eval()


def random(*size: int, seed: int = 0) -> Tensor:
    return torch.randn(size, generator=torch.Generator().manual_seed(seed))


def test_the_step_equals_the_formula_with_diffusers_transformer_called_directly():
    network, reference = tiny_network(), diffusers_dit(TINY)
    reference.load_state_dict(network.dit.state_dict(), strict=True)
    latent, noise = random(3, 4, 8, 12), random(3, 4, 8, 12, seed=1)
    mean, std = (torch.tensor(values).view(1, 4, 1, 1, 1) for values in (TINY.latent_mean, TINY.latent_std))
    eps, z_lr = noise.transpose(0, 1)[None], (latent.transpose(0, 1)[None] - mean) / std
    with torch.no_grad():
        velocity = reference(torch.cat([eps, z_lr], 1), torch.tensor([1000]), network.prompt[None]).sample
    expected = ((eps - velocity) * std + mean)[0].transpose(0, 1)
    found = one_step(network.parts()["denoiser"], latent, noise, TINY)
    assert velocity.std() > 0.1
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("config", [PAPER, SMALL, TINY])
def test_positions_are_those_of_diffusers_for_windows_of_any_size(config):
    from diffusers.models.transformers.transformer_wan import WanRotaryPosEmbed

    patch = (1, config.patch, config.patch)
    theirs = WanRotaryPosEmbed(config.head_width, patch, 1024)
    ours = RotaryPositions(head_width=config.head_width, patch=config.patch)
    for size in ((1, 2, 2), (6, 10, 16), (3, 66, 4)):
        latent = torch.zeros(1, 1, *size)
        for found, expected in zip(ours(latent), theirs(latent)):
            assert torch.equal(found, expected.float())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_positions_stay_exact_in_half_precision(dtype):
    dit, latent = tiny_network().dit, torch.zeros(1, 8, 3, 8, 12)
    exact = dit.rope(latent)
    for found, expected in zip(dit.to(dtype).rope(latent.to(dtype)), exact):
        assert found.dtype == torch.float32
        assert torch.equal(found, expected)


def test_the_stored_prompt_is_used_for_every_video_of_a_batch():
    network = tiny_network()
    latents = random(2, 8, 2, 4, 6)
    denoiser = network.parts()["denoiser"]
    one_by_one = torch.cat([denoiser(latent[None]) for latent in latents])
    torch.testing.assert_close(denoiser(latents), one_by_one, rtol=1e-4, atol=1e-5)


def test_a_text_takes_the_place_of_the_stored_prompt_and_is_filled_up_with_zeros():
    network, latent = tiny_network(), random(1, 8, 2, 4, 6)
    denoiser, text = network.parts()["denoiser"], random(1, 1, TINY.prompt_width)
    full = torch.cat([text, torch.zeros(1, TINY.prompt_tokens - 1, TINY.prompt_width)], 1)
    assert torch.equal(denoiser(latent, text), denoiser(latent, full))
    assert not torch.allclose(denoiser(latent, text), denoiser(latent), atol=1e-4)


def test_a_text_that_is_longer_than_the_prompt_stays_whole():
    text = random(1, 5, 6)
    assert torch.equal(filled(text, 3), text)


def test_time_0_and_1_are_wans_time_steps_0_and_1000():
    network, latent = tiny_network(), random(1, 8, 2, 4, 6)
    for t, step in ((0.0, 0), (0.25, 250), (1.0, 1000)):
        found = predict_velocity(network.dit, latent, torch.tensor([t]), network.prompt[None])
        expected = network.dit(latent, torch.tensor([step]), network.prompt[None]).sample
        assert torch.equal(found, expected)
