"""DUO-VSR's loss terms. Velocities, latents and features are (N, C, F, H, W); every loss is a mean over items."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ...schedulers.rectified_flow import euler

SMALLEST = 1e-6
"""Keeps the DMD gradient finite where the student already is what the real score model expects."""


def squared_error(predicted: Tensor, target: Tensor) -> Tensor:
    """Return the mean of |v - target|^2 (stage I; L_Diff of algorithm 1)."""
    return F.mse_loss(predicted.float(), target.float())


def guided(conditional: Tensor, unconditional: Tensor, weight: float) -> Tensor:
    """Return v_cfg = (1 + w) v_c - w v_null (stage I)."""
    return (1 + weight) * conditional - weight * unconditional


def halving_target(teacher: Callable[[Tensor, Tensor], Tensor], noisy: Tensor, t: Tensor, span: float) -> Tensor:
    """Return the velocity that gets from z_t to t - `span` in one Euler step as the teacher does in two (stage I)."""
    return (noisy - euler(teacher, noisy, t, span, steps=2)) / span


def dmd_gradient(student: Tensor, real: Tensor, fake: Tensor) -> Tensor:
    """Return Grad = (z_0^F - z_0^R) / mean |z_0^S - z_0^R|, the mean over each item (algorithm 1)."""
    distance = (student - real).abs().flatten(1).mean(1).clamp_min(SMALLEST)
    return (fake - real) / distance.view(-1, *[1] * (student.ndim - 1))


def dmd(student: Tensor, real: Tensor, fake: Tensor) -> Tensor:
    """Return L_DMD, the mean of |z_0^S - sg[z_0^S - Grad]|^2 (algorithm 1)."""
    with torch.no_grad():
        target = student - dmd_gradient(student, real, fake)
    return squared_error(student, target)


def hinge(of_target: Tensor, of_student: Tensor) -> Tensor:
    """Return L_D = E[max(0, 1 - D_HR)] + E[max(0, 1 + D_S)] (algorithm 1)."""
    return F.relu(1 - of_target).mean() + F.relu(1 + of_student).mean()


def generator(of_student: Tensor) -> Tensor:
    """Return L_G = -E[D(z_t^S)] (algorithm 1)."""
    return -of_student.mean()


def feature_matching(student: Sequence[Tensor], target: Sequence[Tensor]) -> Tensor:
    """Return L_FM, the mean of |h^S - h^HR|^2 over each layer, and of those (algorithm 1)."""
    return torch.stack([squared_error(one, other) for one, other in zip(student, target, strict=True)]).mean()


def flow_dpo(better: Tensor, worse: Tensor, beta: float) -> Tensor:
    """Return L = -log sigmoid(-(beta / 2) (D_w - D_l)) of the `advantage`s (N,) of two candidates (stage III)."""
    return -F.logsigmoid(-beta / 2 * (better - worse)).mean()


def advantage(velocity: Tensor, student: Tensor, reference: Tensor) -> Tensor:
    """Return D = |v - v_S|^2 - |v - v_ref|^2 (N,), the mean over each item: below 0 where the student is nearer."""
    errors = (velocity - student) ** 2 - (velocity - reference) ** 2
    return errors.flatten(1).mean(1)
