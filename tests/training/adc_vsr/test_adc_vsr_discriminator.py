"""The two discriminators: their sizes, what they see, and what of them learns."""

import pytest
import torch
from restorers import tiny_network
from training.runs import learning

from vsr_core.architectures.adc_vsr.config import TINY
from vsr_core.architectures.adc_vsr.network import AdcVSR
from vsr_core.metrics.dists import DISTS
from vsr_core.training.adc_vsr.convnext import ConvNeXt
from vsr_core.training.adc_vsr.discriminator import (
    DualHeadTail,
    ShallowVGG,
    feature_discriminator,
    pixel_discriminator,
)
from vsr_core.training.adc_vsr.stage2 import paper


def tail(name: str) -> set[str]:
    return {f"tail.{name}.weight", f"tail.{name}.bias"}


TAIL = set().union(
    *(tail(f"{kind}.{i}") for kind in ("space", "time") for i in range(3)), *map(tail, ("detail", "consistency"))
)


@pytest.fixture
def pixels():
    torch.manual_seed(0)
    return pixel_discriminator(ConvNeXt(widths=(8, 16), depths=(1, 1)), (12, 4))


@pytest.fixture
def features():
    return feature_discriminator(tiny_network(TINY).denoiser, (12, 4))


def test_the_papers_heads_have_192_and_64_of_256_channels():
    layers = DualHeadTail(1536, heads=paper().heads)
    assert [layer.weight.shape for layer in (layers.detail, layers.consistency)] == [(192, 256, 1, 1), (64, 256, 1, 1)]
    assert [tuple(layer.weight.shape) for layer in layers.space] == [
        (256, 1536, 3, 3),
        (256, 256, 3, 3),
        (256, 256, 3, 3),
    ]
    assert [tuple(layer.weight.shape) for layer in layers.time] == [(256, 256, 3, 1)] * 3


def test_of_a_convnext_only_the_first_convolution_learns(pixels):
    assert learning(pixels) == TAIL | {"frame_backbone.stem.0.weight", "frame_backbone.stem.0.bias"}


def test_of_the_vgg_nothing_learns():
    discriminator = pixel_discriminator(ShallowVGG(DISTS(), 2), (12, 4))
    assert learning(discriminator) == TAIL


def test_of_the_unet_only_a_new_first_convolution_learns(features):
    assert learning(features) == TAIL | {"clip_backbone.conv_in.weight", "clip_backbone.conv_in.bias"}
    assert features.clip_backbone.conv_in.in_channels == TINY.feature_channels


def test_the_unet_is_a_copy():
    student = AdcVSR(TINY)
    feature_discriminator(student.denoiser, (12, 4))
    assert learning(student) == {name for name, _ in student.named_parameters()}
    assert student.denoiser.conv_in.in_channels == 12


def test_a_verdict_is_said_of_every_place_of_every_frame(pixels, features):
    places = torch.arange(6).view(2, 3)
    seen = pixels(torch.randn(6, 3, 32, 64), places)
    assert (seen.detail.shape, seen.consistency.shape) == ((2, 3, 12, 4, 8), (2, 3, 4, 4, 8))
    seen = features(torch.randn(6, TINY.feature_channels, 8, 8), places)
    assert (seen.detail.shape, seen.consistency.shape) == ((2, 3, 12, 8, 8), (2, 3, 4, 8, 8))


@pytest.mark.parametrize("name", ["pixels", "features"])
def test_clips_made_of_shared_frames_are_judged_as_if_they_were_given_whole(name, request):
    discriminator = request.getfixturevalue(name).eval()
    channels = 3 if name == "pixels" else TINY.feature_channels
    frames = torch.randn(4, channels, 32, 32)
    clips = torch.tensor([[0, 1, 2], [2, 0, 1], [3, 3, 3]])
    with torch.no_grad():
        shared = discriminator(frames, clips)
        whole = discriminator(frames[clips.flatten()], torch.arange(9).view(3, 3))
    for found, expected in zip(shared, whole):
        assert torch.allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("name", ["pixels", "features"])
def test_the_order_of_frames_is_seen_but_clips_do_not_see_each_other(name, request):
    discriminator = request.getfixturevalue(name).eval()
    frames = torch.randn(8, 3 if name == "pixels" else TINY.feature_channels, 32, 32)
    with torch.no_grad():
        both = discriminator(frames, torch.tensor([[0, 1, 2, 3], [4, 5, 6, 7]])).consistency
        other_order = discriminator(frames, torch.tensor([[0, 1, 2, 3], [4, 7, 6, 5]])).consistency
    assert torch.allclose(both[0], other_order[0], atol=1e-5)
    assert (both[1, 0] - other_order[1, 0]).abs().max() > 1e-4


def test_a_limited_tail_amplifies_no_direction():
    discriminator = pixel_discriminator(ShallowVGG(DISTS(), 2), (12, 4), limited=True)
    for value in discriminator.tail.parameters():
        torch.nn.init.normal_(value, std=10.0)
    for _ in range(50):
        discriminator(torch.randn(2, 3, 32, 32), torch.arange(2).view(1, 2))
    for layer in (*discriminator.tail.space, *discriminator.tail.time, discriminator.tail.detail):
        assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() == pytest.approx(1, abs=0.02)


def test_vgg_features_are_of_unit_strength_at_every_place():
    vgg = ShallowVGG(DISTS(), 3)
    for value in vgg.parameters():
        torch.nn.init.normal_(value, std=0.5)
    seen = vgg(torch.rand(2, 3, 32, 32) * 2 - 1)
    assert seen.shape == (2, vgg.channels, 8, 8) == (2, 256, 8, 8)
    assert torch.allclose(seen.square().mean(1).sqrt(), torch.ones(2, 8, 8), atol=1e-3)
