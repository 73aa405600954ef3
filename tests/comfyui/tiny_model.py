"""A real AdcVSR model file that is small enough to run in milliseconds."""

from pathlib import Path

import torch

from vsr_core.architectures.adc_vsr import TINY
from vsr_core.architectures.adc_vsr.network import AdcVSR
from vsr_core.checkpoints.metadata import Metadata, config_to_json
from vsr_core.checkpoints.write import write_model


def write_tiny_model(path: Path) -> Path:
    """Write a TINY AdcVSR with random weights to `path`."""
    torch.manual_seed(0)
    metadata = Metadata(architecture="adc_vsr", config=config_to_json(TINY), source="random", licence="CC0")
    return write_model(path, AdcVSR(TINY).state_dict(), metadata)
