"""Adapters begin as nothing, learn alone, and merge into the weights that compute the same."""

import pytest
import torch
from torch import nn

from vsr_core.training.lora import LowRank, add_adapters, layers, merged


class Layers(nn.Module):
    """A strided and a plain convolution, and a linear layer in a list, as diffusers has it."""

    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(3, 6, 3, stride=2, padding=1)
        self.conv = nn.Conv2d(6, 4, 1, bias=False)
        self.to_out = nn.ModuleList([nn.Linear(4, 5), nn.Dropout(0.0)])
        self.norm = nn.LayerNorm(5)

    def forward(self, x):
        x = self.conv(self.down(x)).movedim(1, -1)
        return self.norm(self.to_out[0](x))


def network() -> Layers:
    torch.manual_seed(0)
    return Layers()


def with_adapters(*, rank: int = 2, alpha: float = 8.0) -> Layers:
    changed = network()
    add_adapters(changed, layers(changed), rank=rank, alpha=alpha)
    return changed


def trained(**changes) -> Layers:
    changed = with_adapters(**changes)
    for name, parameter in changed.named_parameters():
        if ".lora_" in name:
            nn.init.normal_(parameter, std=0.5)
    return changed


@pytest.fixture
def pictures() -> torch.Tensor:
    return torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(1))


def test_adapters_begin_as_nothing(pictures):
    assert torch.allclose(with_adapters()(pictures), network()(pictures), atol=1e-6)


def test_every_adapter_learns_and_no_layer_that_has_one(pictures):
    changed = with_adapters()
    before = {name: value.detach().clone() for name, value in changed.named_parameters()}
    optimizer = torch.optim.SGD([value for value in changed.parameters() if value.requires_grad], 0.1)
    for _ in range(2):  # A moves once B is not zero any more
        optimizer.zero_grad()
        changed(pictures).square()[..., 0].mean().backward()
        optimizer.step()
    moved = {name for name, value in changed.named_parameters() if not torch.equal(value, before[name])}
    assert moved == {name for name in before if ".lora_" in name} | {"norm.weight", "norm.bias"}


@pytest.mark.parametrize("rank, alpha", [(1, 8.0), (4, 8.0), (32, 16.0)])
def test_merged_weights_compute_the_same_under_the_names_of_a_network_without_adapters(pictures, rank, alpha):
    changed, plain = trained(rank=rank, alpha=alpha), network()
    weights = merged(changed.state_dict(), alpha=alpha)
    plain.load_state_dict(weights)
    assert (plain(pictures) - changed(pictures)).abs().max() < 1e-4
    assert (network()(pictures) - changed(pictures)).abs().max() > 0.1


def test_the_change_is_alpha_by_rank_times_b_a():
    layer = LowRank(nn.Linear(2, 1, bias=False), rank=2, alpha=8.0)
    with torch.no_grad():
        layer.base_layer.weight.copy_(torch.tensor([[1.0, 2.0]]))
        layer.lora_A.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 3.0]]))
        layer.lora_B.weight.copy_(torch.tensor([[0.5, 1.0]]))
    assert layer(torch.tensor([1.0, 1.0])).tolist() == [3.0 + 4 * (0.5 + 3.0)]
    weights = merged({f"x.{name}": value for name, value in layer.state_dict().items()}, alpha=8.0)
    assert weights["x.weight"].tolist() == [[1.0 + 4 * 0.5, 2.0 + 4 * 3.0]]


def test_weights_of_a_network_without_adapters_stay_as_they_are():
    weights = network().state_dict()
    assert {name: value.tolist() for name, value in merged(weights, alpha=8.0).items()} == {
        name: value.tolist() for name, value in weights.items()
    }
