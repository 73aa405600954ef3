"""What both stages compare frames by, beside their pixels."""

from collections.abc import Callable

import torch
from torch import Tensor

from ...metrics.dists import load_dists
from ...metrics.perceptual import load_network
from ...metrics.weights import weights_folder

Distance = Callable[[Tensor, Tensor], Tensor]
"""Of two batches of frames (N, 3, H, W) in 0..1: (N,)."""


def load_distance(dists_weight: float, lpips_weight: float, device: torch.device) -> Distance | None:
    """Return the weighted sum of DISTS and LPIPS, or None if both weigh nothing.

    Raises MissingPackageError if the package or the weights of one are absent.
    """
    terms: list[tuple[float, Distance]] = []
    if dists_weight:
        terms.append((dists_weight, load_dists(weights_folder()).to(device)))
    if lpips_weight:
        lpips = load_network(weights_folder()).to(device)
        terms.append((lpips_weight, lambda student, teacher: lpips(student, teacher, normalize=True).flatten()))
    if not terms:
        return None
    return lambda student, teacher: sum(weight * distance(student, teacher) for weight, distance in terms)
