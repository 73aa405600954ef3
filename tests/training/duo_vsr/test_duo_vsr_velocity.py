"""The DiT as the paper's v, its features, the heads on them, and latents of clips."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from training.runs import CPU

from vsr_core.architectures.duo_vsr import TINY
from vsr_core.architectures.duo_vsr.network import DuoVSR
from vsr_core.schedulers.noise import generator
from vsr_core.training.duo_vsr.draws import dice, normal, uniform
from vsr_core.training.duo_vsr.heads import Heads, joined
from vsr_core.training.duo_vsr.latents import Latents
from vsr_core.training.duo_vsr.velocity import RESIDUAL, Score, Velocity, likely, one_step

BOTH_SKIPS = replace(TINY, bicubic_skip=True, latent_skip=True)


def network(config=TINY) -> DuoVSR:
    torch.manual_seed(0)
    made = DuoVSR(config).eval().requires_grad_(False)
    nn.init.normal_(made.vae.decoder.conv_out.weight, std=0.05)
    return made


def inputs() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    torch.manual_seed(1)
    shape = (2, TINY.latent_channels, 2, 4, 6)
    return torch.randn(shape), torch.tensor([0.3, 1.0]), torch.randn(shape), torch.randn(1, 3, TINY.prompt_width)


class PassOn(nn.Module):
    """A transformer block that changes nothing."""

    def forward(self, tokens: Tensor, *others) -> Tensor:
        return tokens


@pytest.mark.parametrize("config", [TINY, BOTH_SKIPS])
def test_one_training_step_restores_what_inference_restores(config):
    made = network(config)
    clips = torch.rand(2, 5, 3, 8, 8)
    latents = Latents(made)
    z_lr = latents.of_input(clips)
    noise = torch.randn(z_lr.shape)
    frames = latents.decode(one_step(Velocity(made.dit, config), noise, z_lr, made.prompt[None]), clips)
    expected = (made(clips, noise.transpose(1, 2)) + 1) / 2
    assert torch.allclose(frames, expected, atol=1e-4)


@pytest.mark.parametrize("t", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_the_skip_is_the_linear_guess_with_the_least_error(t):
    draws = torch.Generator().manual_seed(0)
    lr, residual, noise = (torch.randn(1, 1, 1, 1, 100_000, generator=draws) for _ in range(3))
    target = lr + RESIDUAL * residual
    noisy, wanted = (1 - t) * target + t * noise, noise - target
    error = (likely(noisy, torch.tensor([t]), lr) - wanted).flatten()
    known = torch.stack([noisy.flatten(), lr.flatten()])
    assert (known @ error / error.numel()).abs().max() < 0.02  # nothing is left that either could tell


def test_the_skip_of_the_one_step_starts_from_the_input():
    noisy, _, lr, _ = inputs()
    assert torch.equal(likely(noisy, torch.ones(2), lr), noisy - lr)


def test_latents_of_targets_are_normalised_ones_of_the_autoencoder():
    made = network()
    clips = torch.rand(1, 5, 3, 32, 32)
    raw = made.parts()["encoder"](clips.transpose(1, 2) * 2 - 1)
    found = Latents(made).of_target(clips)
    assert torch.allclose(found[0, 1], (raw[0, 1] - TINY.latent_mean[1]) / TINY.latent_std[1], atol=1e-4)
    assert torch.allclose(found[0, 3], (raw[0, 3] - TINY.latent_mean[3]) / TINY.latent_std[3], atol=1e-4)


def test_features_are_what_the_layers_put_out_in_their_places():
    made = network()
    made.dit.blocks = nn.ModuleList([PassOn(), PassOn()])
    noisy, t, lr, text = inputs()
    velocity, features = Score(Velocity(made.dit, TINY), (1, 2))(noisy, t, lr, text)
    expected = made.dit.patch_embedding(torch.cat([noisy, lr], 1))
    assert velocity.shape == noisy.shape
    assert all(torch.equal(feature, expected) for feature in features)


def test_features_are_of_the_layers_asked_for():
    made = network()
    score, asked = Score(Velocity(made.dit, TINY), (1, 2)), inputs()
    velocity, before = score(*asked)
    assert torch.equal(velocity, Velocity(made.dit, TINY)(*asked))
    made.dit.blocks[1].ffn.net[2].bias.add_(1)
    _, after = score(*asked)
    assert torch.equal(before[0], after[0])
    assert not torch.allclose(before[1], after[1])
    assert torch.equal(Score(Velocity(made.dit, TINY), (2,))(*asked)[1][0], after[1])


def test_a_score_leaves_no_hooks_behind():
    made = network()
    Score(Velocity(made.dit, TINY), (1, 2))(*inputs())
    assert not any(block._forward_hooks for block in made.dit.blocks)


def test_heads_rate_every_place_of_every_layer():
    heads = Heads(layers=2, channels=6, width=8)
    real, fake = ([torch.randn(2, 3, 2, 4, 5) for _ in range(2)] for _ in range(2))
    features = joined(real, fake)
    assert torch.equal(features[1], torch.cat([real[1], fake[1]], 1))
    scores = heads(features)
    assert scores.shape == (2, 2 * 2 * 4 * 5)
    features[1] = features[1] + torch.randn(2, 6, 1, 1, 1)
    changed = (heads(features) != scores).all(0)
    assert not changed[:40].any() and changed[40:].all()


def test_gradients_of_heads_are_right_in_the_computing_precision():
    torch.manual_seed(0)
    heads, features = Heads(layers=1, channels=32, width=32), [torch.randn(4, 32, 2, 4, 4)]
    wanted = dict(gradients(heads, features))
    with CPU.autocast():
        scores = heads(features)
    scores.square().mean().backward()
    for name, value in heads.named_parameters():
        assert (value.grad - wanted[name]).norm() <= 0.1 * max(wanted[name].norm(), 0.1), name


def gradients(heads: Heads, features: list[Tensor]) -> Iterator[tuple[str, Tensor]]:
    heads(features).square().mean().backward()
    for name, value in heads.named_parameters():
        yield name, value.grad.clone()
    heads.zero_grad()


def test_an_items_draws_depend_on_its_number_alone():
    like = torch.zeros(3, 4, 2)
    together, alone = dice(7, range(4, 7)), dice(7, [5])
    first, second = normal(like, together), normal(like, together)
    times = uniform(like, together, (0.25, 0.75))
    assert torch.equal(first[1:2], normal(like[:1], alone))
    assert torch.equal(second[1:2], normal(like[:1], alone))
    assert torch.equal(times[1:2], uniform(like[:1], alone, (0.25, 0.75)))
    assert torch.equal(first[0], torch.randn(4, 2, generator=generator(7, 4)))
    assert not torch.equal(first[0], first[1]) and not torch.equal(first[0], second[0])
    assert ((times >= 0.25) & (times <= 0.75)).all() and len(set(times.tolist())) == 3
