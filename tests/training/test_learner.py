"""Layers with many inputs learn slower, if a run asks for it, and every weight learns once."""

from copy import deepcopy
from functools import partial

import pytest
import torch
from torch import nn
from training.runs import CPU

from vsr_core.training.learner import Learner


class Narrow(nn.Module):
    """A layer of 8 inputs, a layer of 4 x 3 x 3 inputs, a norm and a weight of no layer."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(8, 4)
        self.norm = nn.LayerNorm(4)
        self.conv = nn.Conv2d(4, 2, 3)
        self.shift = nn.Parameter(torch.zeros(5, 4))


def first_moves(fan_in: int) -> dict[str, float]:
    """Return how far Adam moves each weight in its first step: by the rate, whatever the gradient."""
    network = Narrow()
    before = {name: value.detach().clone() for name, value in network.named_parameters()}
    learning = Learner(network, CPU, rate=lambda _: 0.5, fan_in=fan_in)
    learning.update(sum(value.sum() for value in network.parameters()), 0)
    return {name: (value - before[name]).abs().mean().item() for name, value in network.named_parameters()}


def test_all_weights_learn_at_one_rate_by_default():
    assert first_moves(0) == pytest.approx(dict.fromkeys(first_moves(0), 0.5), rel=1e-4)


def test_a_layer_with_more_inputs_learns_as_many_times_slower():
    moves = first_moves(9)
    slow = {name: moves.pop(name) for name in ("conv.weight", "conv.bias")}
    assert slow == pytest.approx({"conv.weight": 0.125, "conv.bias": 0.125}, rel=1e-4)
    assert moves == pytest.approx(dict.fromkeys(moves, 0.5), rel=1e-4)


@pytest.mark.parametrize("optimizer", [torch.optim.SGD, partial(torch.optim.SGD, momentum=0.9), torch.optim.AdamW])
def test_a_learner_goes_on_from_its_state_whatever_its_optimiser_keeps(optimizer):
    torch.manual_seed(0)
    networks = [Narrow() for _ in range(2)]
    whole, again = (Learner(network, CPU, rate=lambda _: 0.1, optimizer=optimizer) for network in networks)
    for index in range(3):
        if index == 2:
            again.load_state_dict(deepcopy(whole.state_dict()))
            again.update(sum(value.square().sum() for value in networks[1].parameters()), index)
        whole.update(sum(value.square().sum() for value in networks[0].parameters()), index)
    assert all(torch.equal(value, other) for value, other in zip(whole.weights().values(), again.weights().values()))


@pytest.mark.parametrize("steps", [0, 1])
def test_keeping_the_state_is_no_step(steps):
    def learner() -> Learner:
        torch.manual_seed(0)
        return Learner(Narrow(), CPU, rate=lambda _: 0.5)

    def learn(learning: Learner, count: int) -> None:
        for index in range(count):
            learning.update(sum((value**3).sum() for value in learning.network.parameters()), index)

    undisturbed, kept, resumed = learner(), learner(), learner()
    for learning in (undisturbed, kept):
        learn(learning, steps)
    resumed.load_state_dict(deepcopy(kept.state_dict()))
    for learning in (undisturbed, kept, resumed):
        learn(learning, 2)
    expected = undisturbed.weights()
    assert all(torch.equal(value, expected[name]) for name, value in kept.weights().items())
    assert all(torch.equal(value, expected[name]) for name, value in resumed.weights().items())
