"""Loss terms: pure functions of tensors."""

import torch
import torch.nn.functional as F
from torch import Tensor


def pixel_l1(student: Tensor, teacher: Tensor) -> Tensor:
    """Return the mean absolute difference (AdcVSR equation 2, first term)."""
    return F.l1_loss(student.float(), teacher.float())


def feature_l1(student: Tensor, teacher: Tensor) -> Tensor:
    """Return the mean absolute difference of decoder features (AdcVSR equation 3, first term)."""
    if student.shape != teacher.shape:
        raise ValueError(f"Student features {tuple(student.shape)} and teacher's {tuple(teacher.shape)} differ.")
    return F.l1_loss(student.float(), teacher.float())


def psnr(student: Tensor, teacher: Tensor) -> Tensor:
    """Return the peak signal-to-noise ratio in dB of values in -1..1; for logs."""
    error = F.mse_loss(student.detach().float().clamp(-1, 1), teacher.float()).clamp_min(1e-10)
    return 10 * torch.log10(4 / error)
