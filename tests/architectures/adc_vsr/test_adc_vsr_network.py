"""The network has the paper's size and shape."""

from dataclasses import replace

import pytest
import torch
from restorers import tiny_network

from vsr_core.architectures.adc_vsr import PAPER, SMALL, TINY
from vsr_core.architectures.adc_vsr.network import AdcVSR
from vsr_core.architectures.adc_vsr.temporal import TemporalBlock


def on_meta(config) -> AdcVSR:
    with torch.device("meta"):
        return AdcVSR(config)


def count(module: torch.nn.Module) -> int:
    return sum(value.numel() for value in module.parameters())


def test_the_papers_network_has_its_573_million_parameters():
    assert count(on_meta(PAPER)) == 572_935_443


def test_without_temporal_blocks_it_has_adcsrs_456_million():
    assert count(on_meta(replace(PAPER, temporal=False))) == 456_073_683


def test_the_built_in_models_network_fits_into_12_megabytes_of_half_precision():
    assert 2 * count(on_meta(SMALL)) < 12e6


def test_the_papers_network_has_a_temporal_block_after_each_of_38_blocks():
    modules = on_meta(PAPER).modules()
    channels = [module.conv1.in_channels for module in modules if isinstance(module, TemporalBlock)]
    assert [channels.count(width) for width in (240, 480, 960)] == [10, 10, 18]


@pytest.mark.parametrize("config", [PAPER, SMALL, TINY])
def test_frames_come_out_four_times_as_large_and_features_at_half_the_size(config):
    side = 2 * config.multiple
    with torch.device("meta"):
        restored = AdcVSR(config)(torch.empty(2, 3, 3, side, side + config.multiple))
    assert config.scale == 4
    assert restored.frames.shape == (2, 3, 3, 4 * side, 4 * (side + config.multiple))
    assert restored.feature.shape == (2, 3, config.feature_channels, side // 2, (side + config.multiple) // 2)


def test_clips_of_a_batch_do_not_see_each_other():
    network = tiny_network()
    clips = torch.rand(2, 4, 3, 16, 16) * 2 - 1
    together = network(clips).frames
    for clip, found in zip(clips, together, strict=True):
        assert torch.allclose(network(clip[None]).frames[0], found, atol=1e-5)


def test_channels_last_memory_changes_nothing_but_the_speed():
    network, clip = tiny_network(), torch.rand(1, 4, 3, 16, 24) * 2 - 1
    plain = network(clip)
    fast = network.to(memory_format=torch.channels_last)(clip)
    assert torch.allclose(fast.frames, plain.frames, atol=1e-4)
    assert torch.allclose(fast.feature, plain.feature, atol=1e-4)


def test_the_tail_of_the_decoder_turns_the_feature_into_the_frames():
    network, clip = tiny_network(), torch.rand(1, 2, 3, 16, 16)
    restored = network(clip)
    assert torch.allclose(network.decoder.tail(restored.feature[0]), restored.frames[0], atol=1e-6)
