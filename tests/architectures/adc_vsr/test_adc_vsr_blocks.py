"""Blocks compute what the plain layers they stand for compute."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from vsr_core.architectures.adc_vsr.blocks import (
    Attention,
    Downsample,
    ResidualBlock,
    TransformerBlock,
    Upsample,
    group_norm,
)
from vsr_core.architectures.adc_vsr.temporal import TemporalBlock


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


@pytest.mark.parametrize("size", [(5, 7), (1, 1), (8, 4)])
def test_upsampling_equals_nearest_enlargement_and_a_convolution(size):
    block, x = Upsample(6), torch.randn(2, 6, *size)
    assert torch.allclose(block(x), block.conv(F.interpolate(x, scale_factor=2.0, mode="nearest")), atol=1e-5)


def test_downsampling_halves_the_size():
    assert Downsample(4)(torch.randn(1, 4, 8, 6)).shape == (1, 4, 4, 3)


@pytest.mark.parametrize(("batch", "frames"), [(1, 1), (1, 5), (2, 4)])
def test_a_temporal_block_equals_one_dimensional_convolutions_over_time(batch, frames):
    block = TemporalBlock(6)
    nn.init.normal_(block.conv2.weight)
    x = torch.randn(batch * frames, 6, 3, 4)
    conv1, conv2 = nn.Conv1d(6, 6, 3, padding=1), nn.Conv1d(6, 6, 3, padding=1)
    for plain, ours in ((conv1, block.conv1), (conv2, block.conv2)):
        plain.weight.data, plain.bias.data = ours.weight.data.squeeze(-1), ours.bias.data
    columns = x.view(batch, frames, 6, 3, 4).permute(0, 3, 4, 2, 1).reshape(-1, 6, frames)
    changed = columns + conv2(F.relu(conv1(columns)))
    expected = changed.view(batch, 3, 4, 6, frames).permute(0, 4, 3, 1, 2).reshape(x.shape)
    assert torch.allclose(block(x, frames), expected, atol=1e-5)


def test_a_new_temporal_block_changes_nothing():
    x = torch.randn(6, 4, 5, 5)
    assert torch.equal(TemporalBlock(4)(x, 3), x)


def test_attention_equals_torchs_own():
    attention = Attention(12, heads=3, qkv_bias=True)
    plain = nn.MultiheadAttention(12, 3, batch_first=True)
    parts = (attention.to_q, attention.to_k, attention.to_v)
    plain.in_proj_weight.data = torch.cat([part.weight.data for part in parts])
    plain.in_proj_bias.data = torch.cat([part.bias.data for part in parts])
    plain.out_proj.load_state_dict(attention.to_out.state_dict())
    tokens = torch.randn(2, 9, 12)
    assert torch.allclose(attention(tokens), plain(tokens, tokens, tokens)[0], atol=1e-5)


@pytest.mark.parametrize(
    ("channels", "groups"), [(240, 24), (480, 32), (720, 24), (960, 32), (1440, 32), (1920, 32), (8, 8), (7, 1)]
)
def test_norms_have_adcsrs_group_counts(channels, groups):
    assert group_norm(channels, 1e-6).num_groups == groups


@pytest.mark.parametrize("block", [ResidualBlock(8, 12, eps=1e-5), ResidualBlock(8, 8, eps=1e-5)])
def test_a_residual_block_adds_to_its_shortcut(block):
    nn.init.zeros_(block.conv2.weight)
    nn.init.zeros_(block.conv2.bias)
    x = torch.randn(1, 8, 4, 4)
    assert torch.equal(block(x), block.shortcut(x))


def test_a_transformer_block_adds_to_its_input():
    block, x = TransformerBlock(8, 2), torch.randn(2, 8, 3, 5)
    assert not torch.allclose(block(x), x, atol=1e-3)
    nn.init.zeros_(block.proj_out.weight)
    nn.init.zeros_(block.proj_out.bias)
    assert torch.equal(block(x), x)
