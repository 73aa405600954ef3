"""Real model files that are small enough to run in milliseconds."""

from pathlib import Path

import torch
from restorers import tiny_network
from torch import nn

from vsr_core.architectures import os_diffvsr
from vsr_core.architectures.os_diffvsr.network import OSDiffVSR
from vsr_core.checkpoints.metadata import Metadata, config_to_json
from vsr_core.checkpoints.write import write_model


def write_tiny_models(folder: Path) -> None:
    """Write TINY models with random weights: tiny.safetensors (AdcVSR) and tiny_fusing.safetensors (OS-DiffVSR)."""
    torch.manual_seed(0)
    write(folder / "tiny.safetensors", "adc_vsr", tiny_network())
    write(folder / "tiny_fusing.safetensors", "os_diffvsr", OSDiffVSR(os_diffvsr.TINY))


def write(path: Path, architecture: str, network: nn.Module) -> None:
    metadata = Metadata(architecture=architecture, config=config_to_json(network.config), source="random")
    write_model(path, network.state_dict(), metadata)
