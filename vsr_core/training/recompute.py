"""Gradient checkpointing: activations are computed twice instead of kept."""

from functools import partial

from torch import nn
from torch.utils.checkpoint import checkpoint


def recompute(network: nn.Module, kinds: tuple[type[nn.Module], ...]) -> None:
    """Let every part of `network` that is one of `kinds` keep its inputs only and run again for its gradients."""
    for module in network.modules():
        if isinstance(module, kinds):
            module.forward = partial(checkpoint, module.forward, use_reentrant=False)
