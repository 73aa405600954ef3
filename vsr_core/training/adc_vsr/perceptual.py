"""What both stages compare frames by, beside their pixels."""

import torch

from ...metrics.dists import load_dists
from ...metrics.perceptual import load_network
from ...metrics.weights import weights_folder
from .losses import Distance


def load_distance(device: torch.device, *, dists: float = 0.0, lpips: float = 0.0) -> Distance | None:
    """Return the sum of DISTS and LPIPS with these weights, or None if both are 0.

    Raises MissingPackageError if the package or the weights of one are absent.
    """
    terms: list[tuple[float, Distance]] = []
    if dists:
        terms.append((dists, load_dists(weights_folder()).to(device)))
    if lpips:
        network = load_network(weights_folder()).to(device)
        terms.append((lpips, lambda student, teacher: network(student, teacher, normalize=True).flatten()))
    if not terms:
        return None
    return lambda student, teacher: sum(weight * distance(student, teacher) for weight, distance in terms)
