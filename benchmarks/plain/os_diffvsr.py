"""OS-DiffVSR as its figure 2 reads, with diffusers: frame by frame three encodes, one UNet call, one decode."""

import torch
import torch.nn.functional as F
from torch import Tensor

from vsr_core.architectures.os_diffvsr import PAPER
from vsr_core.architectures.os_diffvsr.network import OSDiffVSR
from vsr_core.architectures.os_diffvsr.restorer import OSDiffVSRRestorer
from vsr_core.flow import align, estimator, warped_neighbours

VARIANTS = {"pixels": {"alignment": "pixels"}, "latents": {"alignment": "latents"}}
"""Name -> fields of FusionSettings."""


def build(device: torch.device, dtype: torch.dtype) -> OSDiffVSR:
    """Return the baseline."""
    return random_network(device).to(dtype)


def build_ours(device: torch.device, dtype: torch.dtype) -> OSDiffVSRRestorer:
    """Return the same network as `restore` uses it."""
    return OSDiffVSRRestorer(random_network(device).to(dtype))


def random_network(device: torch.device) -> OSDiffVSR:
    torch.manual_seed(0)
    with torch.device(device):
        return OSDiffVSR(PAPER).eval().requires_grad_(False)


def run(network: OSDiffVSR, clip: Tensor, timed) -> Tensor:
    """Restore `clip` (T, 3, H, W); enter `timed(stage)` for each stage."""
    with timed("flow"):
        aligned = align(clip, estimator())
        previous, following = warped_neighbours(clip, aligned)
    mask = (aligned.confidence(PAPER.alpha) > PAPER.mu).float()
    mask = -F.max_pool2d(-mask, 2)
    return torch.cat(
        [
            restore_frame(network, [previous[i : i + 1], clip[i : i + 1], following[i : i + 1]], mask[i : i + 1], timed)
            for i in range(len(clip))
        ]
    )


def restore_frame(network: OSDiffVSR, frames: list[Tensor], mask: Tensor, timed) -> Tensor:
    """Restore one frame, given as (1, 3, H, W) between its warped neighbours."""
    dtype, factor = network.vae.dtype, PAPER.latent_scale
    with timed("encode"):
        latents = []
        for frame in frames:
            large = F.interpolate(frame, scale_factor=4, mode="bicubic").clamp(0, 1) * 2 - 1
            latents.append(network.vae.encode(large.to(dtype)).latent_dist.mean * factor)
    with timed("fuse"):
        tokens = torch.stack(latents, dim=1).permute(0, 3, 4, 1, 2)  # (1, h, w, 3, C)
        heads = (*tokens.shape[:-1], PAPER.fusion_heads, PAPER.fusion_width)
        query = (tokens @ network.fusion.to_q.weight.T).view(heads).transpose(-2, -3)
        key = (tokens @ network.fusion.to_k.weight.T).view(heads).transpose(-2, -3)
        attention = torch.softmax(query @ key.transpose(-1, -2) / PAPER.fusion_width**0.5, dim=-1).mean(dim=-3)
        fused = (attention @ tokens).mean(dim=-2).permute(0, 3, 1, 2)
        latent = (fused * mask + latents[1] * (1 - mask)).to(dtype)
    with timed("step"):
        noise = network.unet(latent, PAPER.timestep, network.prompt[None].to(dtype)).sample
        betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
        signal = (1 - betas).cumprod(0)[PAPER.timestep].item()
        latent = (latent - (1 - signal) ** 0.5 * noise) / signal**0.5
    with timed("decode"):
        return (network.vae.decode(latent / factor).sample.float() + 1) / 2
