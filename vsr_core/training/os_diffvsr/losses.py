"""Loss terms of adjacent-frame adversarial training: pure functions of tensors.

Frames are (N, 3, H, W) in -1..1, frame i and what belongs to it at the same index. Features are (N, C, h, w), a vector
for each patch (p, q); similarities are (N, h, w) in -1..1.
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def similarity(previous: Tensor, features: Tensor) -> Tensor:
    """Return the cosine similarity <F_{i-1}, F_i> of each patch's features with those of the real frame before."""
    return F.cosine_similarity(previous.float(), features.float(), dim=1)


def discriminator_loss(real: Tensor, fake: Tensor, *, tau: float) -> Tensor:
    """Return equation 3, given the similarities of the real and of the restored frame to the real frame before.

    -log(e^(real / tau) / (e^(real / tau) + e^(fake / tau))) is softplus((fake - real) / tau).
    """
    return F.softplus((fake - real) / tau).mean()


def generator_loss(fake: Tensor) -> Tensor:
    """Return equation 5, given the similarity of the restored frame to the real frame before."""
    return -fake.mean()


def focal_mse(restored: Tensor, real: Tensor, fake: Tensor, *, gamma: float) -> Tensor:
    """Return the squared error, weighted by how fake the patch of each pixel looks (equations 6 and 7).

    Reading: ||.||_2 is the mean square over pixels and colours, as the loss's name says. The score S says where to look
    and is no way to a lower loss: no gradient flows through it, so `fake` acts as a number. Each pixel takes the score
    of the patch that it is in.
    """
    score = (1 - fake.detach()) / 2
    score = F.interpolate(score[:, None].clamp(0, 1), restored.shape[-2:], mode="nearest")
    return (score**gamma * (real - restored.float()) ** 2).mean()


def warp_loss(restored: Tensor, real: Tensor, warped: Tensor, *, alpha: float) -> Tensor:
    """Return the squared error of the restored frame against the real one before, warped to it (equations 15 and 16).

    Reading: ||.||_2 is the mean square, as in the metric E_warp of [19]; the L1 norm is the sum over colours in 0..1,
    as in the mask of the fusion (equation 14), whose alpha it shares.
    """
    mask = torch.exp(-alpha * ((real - warped) / 2).abs().sum(1, keepdim=True))
    return (mask * (restored.float() - warped) ** 2).mean()
