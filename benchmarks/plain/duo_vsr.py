"""DUO-VSR as its algorithm 1 reads, with diffusers' AutoencoderKLWan and WanTransformer3DModel, all frames at once."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vsr_core.architectures.duo_vsr import PAPER
from vsr_core.architectures.duo_vsr.network import DuoVSR
from vsr_core.architectures.duo_vsr.restorer import DuoVSRRestorer
from vsr_core.schedulers.noise import frame_noise

VARIANTS = {"ours": {}}
"""Name -> fields of FusionSettings."""


class Plain(NamedTuple):
    vae: nn.Module
    dit: nn.Module
    prompt: Tensor


def build(device: torch.device, dtype: torch.dtype) -> Plain:
    """Return the baseline."""
    from diffusers import AutoencoderKLWan, WanTransformer3DModel

    network = random_network(device).to(dtype)
    with torch.device("meta"):
        vae = AutoencoderKLWan()
    vae.load_state_dict(network.vae.state_dict(), assign=True)
    network.dit.rope = WanTransformer3DModel(num_layers=1, ffn_dim=1, text_dim=1).rope.to(device)  # diffusers' own
    return Plain(vae.eval().requires_grad_(False), network.dit, network.prompt)


def build_ours(device: torch.device, dtype: torch.dtype) -> DuoVSRRestorer:
    """Return the same network as `restore` uses it."""
    return DuoVSRRestorer(random_network(device).to(dtype))


def random_network(device: torch.device) -> DuoVSR:
    torch.manual_seed(0)
    with torch.device(device):
        return DuoVSR(PAPER).eval().requires_grad_(False)


def run(network: Plain, clip: Tensor, timed) -> Tensor:
    """Restore `clip` (T, 3, H, W); enter `timed(stage)` for each stage."""
    dtype, config = network.vae.dtype, network.vae.config
    frames = torch.cat([clip, clip[-1:].repeat(-(len(clip) - 1) % 4, 1, 1, 1)])  # 4 k + 1
    mean, std = (
        torch.tensor(values, device=clip.device).view(1, -1, 1, 1, 1)
        for values in (config.latents_mean, config.latents_std)
    )
    with timed("encode"):
        large = F.interpolate(frames, scale_factor=4, mode="bicubic").clamp(0, 1) * 2 - 1
        latent = network.vae.encode(large.transpose(0, 1)[None].to(dtype)).latent_dist.mean
    with timed("step"):
        latent = (latent.float() - mean) / std
        numbers = list(range(0, len(frames), 4))  # of the last frame that each latent stands for
        noise = frame_noise((latent.shape[1], *latent.shape[-2:]), 0, numbers).transpose(0, 1)[None].to(latent)
        time, text = torch.full((1,), 1000.0, device=clip.device), network.prompt[None]
        velocity = network.dit(torch.cat([noise, latent], 1).to(dtype), time, text, return_dict=False)[0]
        latent = (noise - velocity.float()) * std + mean
    with timed("decode"):
        large = network.vae.decode(latent.to(dtype)).sample[0].transpose(0, 1)
        return ((large.float() + 1) / 2)[: len(clip)]
