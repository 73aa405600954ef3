"""Parts that run a second time for their gradients give the same gradients."""

import torch
from torch import nn

from vsr_core.training.recompute import recompute


class Counted(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear, self.runs = nn.Linear(4, 4), 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.runs += 1
        return torch.sin(self.linear(x))


def gradients(network: nn.Module) -> list[torch.Tensor]:
    network(torch.linspace(-1, 1, 8).view(2, 4)).square().sum().backward()
    return [value.grad.clone() for value in network.parameters()]


def test_gradients_are_the_same_and_only_the_named_kinds_run_twice():
    torch.manual_seed(0)
    plain, twice = nn.Sequential(Counted(), nn.Tanh(), Counted()), nn.Sequential(Counted(), nn.Tanh(), Counted())
    twice.load_state_dict(plain.state_dict())
    recompute(twice, (Counted,))
    assert all(torch.allclose(one, other) for one, other in zip(gradients(plain), gradients(twice)))
    assert [plain[0].runs, twice[0].runs, twice[2].runs] == [1, 2, 2]
    assert list(twice.state_dict()) == list(plain.state_dict())
