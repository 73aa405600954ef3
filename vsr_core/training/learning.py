"""A network that learns: its optimiser, its averaged weights, and the state of both."""

import json
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ..checkpoints.metadata import config_to_json
from ..errors import SettingError
from .ema import EMA


class Learning:
    """Adam on all weights of `network`, with a rate of its own for every step."""

    def __init__(
        self,
        network: nn.Module,
        config: Any,
        *,
        rate: Callable[[int], float],
        clip_norm: float = 0.0,
        ema: float = 0.0,
        fan_in: int = 0,
    ):
        """Set up step 0.

        `config` is the run's frozen dataclass, kept so that a run goes on as it began. 0 = no clipping, no averages.
        Layers with more inputs than `fan_in` learn as many times slower; 0 = all learn at the same rate.
        """
        self.network, self.config, self.rate, self.clip_norm = network, config, rate, clip_norm
        self.optimizer = torch.optim.Adam(paces(network, fan_in), lr=rate(0))
        self.ema = EMA(network, ema) if ema else None

    def update(self, loss: Tensor, index: int) -> None:
        """Take step `index` down the gradient of `loss`."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate(index) * group["pace"]
        loss.backward()
        if self.clip_norm:
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.clip_norm)
        self.optimizer.step()
        self.optimizer.zero_grad()
        if self.ema:
            self.ema.update()

    def weights(self) -> dict[str, Tensor]:
        """Return the weights to keep: the averages if there are any."""
        return self.ema.weights() if self.ema else self.network.state_dict()

    def state_dict(self) -> dict:
        """Return everything that continuing needs."""
        return {
            "config": config_to_json(self.config),
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "ema": self.ema.state_dict() if self.ema else {},
        }

    def load_state_dict(self, state: dict) -> None:
        """Continue from `state_dict()`. Raises SettingError if anything but the number of steps was set otherwise."""
        before, now = json.loads(state["config"]), json.loads(config_to_json(self.config))
        changed = [name for name in now if name != "steps" and now[name] != before.get(name)]
        if changed:
            raise SettingError(
                f"The run was started with another {', '.join(changed)}. Use the same, or another --out."
            )
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.ema:
            self.ema.load_state_dict(state["ema"])


def paces(network: nn.Module, fan_in: int) -> list[dict]:
    """Return groups of parameters, each with its `pace`: the share of the rate that suits its layers' inputs.

    Adam first moves all weights of a sum by the same amount, so the sum moves by as many times that as it has inputs.
    """
    groups: dict[float, list[nn.Parameter]] = {}
    for layer in network.modules():
        weight = getattr(layer, "weight", None)
        inputs = weight[0].numel() if fan_in and weight is not None else 1
        groups.setdefault(min(1.0, fan_in / inputs) if fan_in else 1.0, []).extend(layer.parameters(recurse=False))
    return [{"params": parameters, "pace": pace} for pace, parameters in groups.items() if parameters]
