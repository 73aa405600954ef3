"""Exponential moving average of a network's weights."""

import torch
from torch import Tensor, nn


class EMA:
    """Keep float32 averages of the parameters of `module` that learn; short histories weigh recent steps more."""

    def __init__(self, module: nn.Module, decay: float):
        self.parameters = {name: value for name, value in module.named_parameters() if value.requires_grad}
        self.decay = decay
        self.updates = 0
        self.average: dict[str, Tensor] = {
            name: value.detach().float().clone() for name, value in self.parameters.items()
        }

    @torch.no_grad()
    def update(self) -> None:
        """Blend the current weights in."""
        self.updates += 1
        decay = min(self.decay, self.updates / (self.updates + 9))
        for name, value in self.parameters.items():
            self.average[name].lerp_(value.float(), 1 - decay)

    def state_dict(self) -> dict:
        """Return averages and count."""
        return {"updates": self.updates, "average": self.average}

    def load_state_dict(self, state: dict) -> None:
        """Continue from `state_dict()`."""
        self.updates = state["updates"]
        for name, value in state["average"].items():
            self.average[name].copy_(value)
