"""A network that learns: its optimiser, its averaged weights, and the state of both, on one process or many."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_state_dict,
    set_model_state_dict,
    set_state_dict,
)
from torch.optim import Adam, Optimizer

from .ema import EMA

if TYPE_CHECKING:
    from accelerate import Accelerator

WHOLE = StateDictOptions(full_state_dict=True, cpu_offload=True)
"""Every process gets all of the state, so that it can be read by another number of them."""


class Learner:
    """The parameters of `network` that require gradients, and an optimiser with a rate of its own for every step."""

    def __init__(
        self,
        network: nn.Module,
        accelerator: "Accelerator",
        *,
        rate: Callable[[int], float],
        optimizer: Callable[[list[dict]], Optimizer] = Adam,
        clip_norm: float = 0.0,
        ema: float = 0.0,
        fan_in: int = 0,
    ):
        """Set up step 0; 0 = no clipping, no averages.

        Layers with more inputs than `fan_in` learn as many times slower; 0 = all learn at the same rate.
        """
        self.accelerator, self.rate, self.clip_norm = accelerator, rate, clip_norm
        self.optimizer = optimizer(paces(network, fan_in))
        self._wrapped, self._stepping = accelerator.prepare(network, self.optimizer)
        # Without the autocast that `prepare` adds: recipes say themselves where they want it.
        self.network = accelerator.unwrap_model(self._wrapped, keep_fp32_wrapper=False)
        self.ema = EMA(network, ema) if ema else None

    def __call__(self, *inputs: Any) -> Any:
        """Run the network so that a loss of what it returns can go to `update`, also on several processes."""
        return self._wrapped(*inputs)

    def update(self, loss: Tensor, index: int) -> None:
        """Take step `index` down the gradient of `loss`, averaged over the processes."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate(index) * group["pace"]
        self.accelerator.backward(loss)
        if self.clip_norm:
            self.accelerator.clip_grad_norm_(self._wrapped.parameters(), self.clip_norm)
        self._stepping.step()
        self._stepping.zero_grad()
        if self.ema:
            self.ema.update()

    def weights(self) -> dict[str, Tensor]:
        """Return the weights to keep: the averages if there are any. Every process has to ask."""
        weights = self.network.state_dict()
        if self.ema:
            weights |= self.ema.average
        return {name: whole(value) for name, value in weights.items()}

    def state_dict(self) -> dict:
        """Return everything that continuing needs. Every process has to ask."""
        if self.optimizer.state:
            network, optimizer = get_state_dict(self._wrapped, self.optimizer, options=WHOLE)
        else:  # get_state_dict would take a step to have a state, and Adam would count it
            network, optimizer = get_model_state_dict(self._wrapped, options=WHOLE), {}
        return {"network": network, "optimizer": optimizer, "ema": self.ema.state_dict() if self.ema else {}}

    def load_state_dict(self, state: dict) -> None:
        """Continue from `state_dict()`."""
        if state["optimizer"]:
            set_state_dict(
                self._wrapped,
                self.optimizer,
                model_state_dict=state["network"],
                optim_state_dict=state["optimizer"],
                options=WHOLE,
            )
        else:
            set_model_state_dict(self._wrapped, state["network"], options=WHOLE)
        if self.ema:
            self.ema.load_state_dict(state["ema"])


@contextmanager
def frozen(*networks: nn.Module) -> Iterator[None]:
    """Let no weight of `networks` collect gradients inside; they still pass on to what the networks are fed."""
    learning = [value for network in networks for value in network.parameters() if value.requires_grad]
    for value in learning:
        value.requires_grad_(False)
    try:
        yield
    finally:
        for value in learning:
            value.requires_grad_(True)


def whole(value: Tensor) -> Tensor:
    """Return all of a tensor that may be spread over processes."""
    return value.full_tensor() if hasattr(value, "full_tensor") else value


def paces(network: nn.Module, fan_in: int) -> list[dict]:
    """Return groups of parameters, each with its `pace`: the share of the rate that suits its layers' inputs.

    Adam first moves all weights of a sum by the same amount, so the sum moves by as many times that as it has inputs.
    Parameters that require no gradients are in no group.
    """
    groups: dict[float, list[nn.Parameter]] = {}
    for layer in network.modules():
        weight = getattr(layer, "weight", None)
        inputs = weight[0].numel() if fan_in and weight is not None else 1
        learning = (value for value in layer.parameters(recurse=False) if value.requires_grad)
        groups.setdefault(min(1.0, fan_in / inputs) if fan_in else 1.0, []).extend(learning)
    return [{"params": parameters, "pace": pace} for pace, parameters in groups.items() if parameters]
