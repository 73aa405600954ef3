"""Real model files that are small enough to run in milliseconds."""

from dataclasses import replace
from pathlib import Path

import torch
from restorers import tiny_network
from torch import nn

from vsr_core.architectures import duo_vsr, os_diffvsr
from vsr_core.architectures.duo_vsr.network import DuoVSR
from vsr_core.architectures.os_diffvsr.network import OSDiffVSR
from vsr_core.checkpoints.metadata import Metadata, config_to_json
from vsr_core.checkpoints.write import write_model

TINY_VIDEO = replace(
    duo_vsr.TINY,
    vae_layers=duo_vsr.PAPER.vae_layers,
    latent_channels=duo_vsr.PAPER.latent_channels,
    latent_mean=duo_vsr.PAPER.latent_mean,
    latent_std=duo_vsr.PAPER.latent_std,
)
"""DUO-VSR with Wan2.1's latents and as many blocks in the autoencoder: ComfyUI's own takes them at any width."""


def write_tiny_models(folder: Path) -> None:
    """Write TINY models with random weights.

    They are tiny.safetensors (AdcVSR), tiny_fusing.safetensors (OS-DiffVSR) and tiny_video.safetensors (DUO-VSR).
    """
    torch.manual_seed(0)
    write(folder / "tiny.safetensors", "adc_vsr", tiny_network())
    write(folder / "tiny_fusing.safetensors", "os_diffvsr", OSDiffVSR(os_diffvsr.TINY))
    write(folder / "tiny_video.safetensors", "duo_vsr", DuoVSR(TINY_VIDEO))


def write(path: Path, architecture: str, network: nn.Module) -> None:
    metadata = Metadata(architecture=architecture, config=config_to_json(network.config), source="random")
    write_model(path, network.state_dict(), metadata)
