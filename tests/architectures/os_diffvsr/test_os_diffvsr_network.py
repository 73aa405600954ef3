"""The network is Stable Diffusion 2.1's, and learns in all its parts."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from architectures.os_diffvsr.alignments import moved, smooth
from architectures.os_diffvsr.published import tiny_network

from vsr_core.architectures.os_diffvsr import PAPER, SMALL, TINY
from vsr_core.architectures.os_diffvsr.network import OSDiffVSR, enlarged, one_step
from vsr_core.flow import join

KEYS = json.loads((Path(__file__).parents[2] / "data" / "osediff_keys.json").read_text())


def on_meta(config) -> OSDiffVSR:
    with torch.device("meta"):
        return OSDiffVSR(config)


def count(module: torch.nn.Module) -> int:
    return sum(value.numel() for value in module.parameters())


@pytest.fixture(scope="module")
def paper() -> OSDiffVSR:
    return on_meta(PAPER)


def test_the_papers_unet_has_866_million_parameters_and_its_autoencoder_84(paper):
    assert count(paper.unet) == 865_910_724
    assert count(paper.vae) == 83_653_863


@pytest.mark.parametrize("part", ["unet", "vae"])
def test_every_tensor_has_stable_diffusions_name_and_shape(paper, part):
    ours = {name: list(value.shape) for name, value in getattr(paper, part).state_dict().items()}
    assert ours == KEYS["base"][part]


def test_beside_them_there_are_only_fusion_and_prompt(paper):
    rest = {
        name: tuple(value.shape) for name, value in paper.state_dict().items() if not name.startswith(("unet.", "vae."))
    }
    assert rest == {"prompt": (77, 1024), "fusion.to_q.weight": (16, 4), "fusion.to_k.weight": (16, 4)}


def test_the_papers_attention_has_heads_of_64_channels(paper):
    attentions = [module for name, module in paper.unet.named_modules() if name.endswith(("attn1", "attn2"))]
    assert len(attentions) == 32
    assert {module.to_q.out_features // module.heads for module in attentions} == {64}


def test_the_built_in_models_network_fits_into_12_megabytes_of_half_precision():
    assert 2 * count(on_meta(SMALL)) < 12e6


@pytest.mark.parametrize("config", [replace(TINY, heads=(0, 2)), replace(TINY, heads=(0, 0), middle_heads=0), SMALL])
def test_levels_without_heads_have_no_attention(config):
    names = [name for name, _ in on_meta(config).unet.named_modules() if name.endswith(".attn1")]
    for level, heads in enumerate(config.heads):
        assert any(name.startswith(f"down_blocks.{level}.") for name in names) == bool(heads)
        assert any(name.startswith(f"up_blocks.{len(config.heads) - 1 - level}.") for name in names) == bool(heads)
    assert any(name.startswith("mid_block.") for name in names) == bool(config.middle_heads)


@pytest.mark.parametrize("alignment", ["pixels", "latents"])
@pytest.mark.parametrize("config", [SMALL, TINY, replace(TINY, heads=(0, 0), middle_heads=0)])
def test_frames_come_out_four_times_as_large(config, alignment):
    side = 2 * config.multiple
    clip = torch.rand(2, 3, side, side + config.multiple)
    frames = OSDiffVSR(config)(clip, moved(2, *clip.shape[-2:]), alignment)
    assert frames.shape == (2, 3, 4 * side, 4 * (side + config.multiple))


def test_some_frames_of_a_clip_come_out_as_they_do_among_all():
    network, clip, aligned = tiny_network(), smooth(5, 3, 16, 16, x=1.0), moved(5, 16, 16, x=1.0)
    whole = network(clip, aligned)
    assert torch.allclose(network(clip, aligned[1:3]), whole[1:3], atol=1e-5)


def test_clips_of_a_batch_do_not_see_each_other():
    network = tiny_network()
    clips, aligned = torch.rand(2, 3, 3, 16, 16), moved(3, 16, 16, x=1.0)
    together = network(clips.flatten(0, 1), join([aligned, aligned.shifted(3)])).unflatten(0, (2, 3))
    for clip, found in zip(clips, together, strict=True):
        assert torch.allclose(network(clip, aligned), found, atol=1e-5)


def test_neighbours_change_a_frame_only_where_they_are_trusted():
    network, clip = tiny_network(), smooth(3, 3, 16, 16, x=4.0)
    alone = torch.cat([network(frame[None], moved(1, 16, 16)) for frame in clip])
    assert torch.allclose(network(clip, moved(3, 16, 16, error=6.0)), alone, atol=1e-5)
    assert not torch.allclose(network(clip, moved(3, 16, 16)), alone, atol=1e-3)


@pytest.mark.parametrize("alignment", ["pixels", "latents"])
def test_a_still_clip_gives_one_and_the_same_frame(alignment):
    network, clip = tiny_network(), smooth(1, 3, 16, 16).repeat(3, 1, 1, 1)
    frames = network(clip, moved(3, 16, 16), alignment)
    assert torch.allclose(frames, frames[:1].expand_as(frames), atol=1e-5)


def test_the_config_says_which_alignment_is_used():
    network, clip, aligned = tiny_network(), smooth(3, 3, 16, 16, x=2.0), moved(3, 16, 16, x=2.0)
    by_pixels, by_latents = (network(clip, aligned, alignment) for alignment in ("pixels", "latents"))
    assert torch.equal(network(clip, aligned), by_pixels)
    network.config = replace(TINY, alignment="latents")
    assert torch.equal(network(clip, aligned), by_latents)
    assert not torch.allclose(by_pixels, by_latents, atol=1e-4)


@pytest.mark.parametrize("alignment", ["pixels", "latents"])
def test_every_weight_but_those_of_the_deviation_learns(alignment):
    torch.manual_seed(0)
    network = OSDiffVSR(TINY)
    network(smooth(2, 3, 16, 16, x=1.0), moved(2, 16, 16, x=1.0), alignment).square().mean().backward()
    still = {name for name, value in network.named_parameters() if value.grad is None or not value.grad.any()}
    assert still == set()
    assert not network.vae.quant_conv.bias.grad[TINY.latent_channels :].any()


def test_a_network_that_predicts_the_difference_begins_as_bicubic_enlargement():
    network, clip = OSDiffVSR(SMALL), torch.rand(1, 3, 16, 16)
    assert torch.equal(network(clip, moved(1, 16, 16)), enlarged(clip))


def test_the_one_step_is_equation_2():
    noisy, noise = torch.randn(2, 1, 4, 3, 3, generator=torch.Generator().manual_seed(0)).double()
    config, left = PAPER, 0.0047  # of the signal's variance after 999 steps
    seen = []

    def predict(latent: torch.Tensor) -> torch.Tensor:
        seen.append(latent)
        return noise

    clean = one_step(predict, noisy / config.latent_scale, config) * config.latent_scale
    assert torch.allclose(seen[0], noisy)
    assert torch.allclose(clean, (noisy - (1 - left) ** 0.5 * noise) / left**0.5, rtol=0.01)
