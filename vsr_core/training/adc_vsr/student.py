"""The student of both stages: how it starts, what is kept of it, and how it is shown."""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from ...architectures.adc_vsr.blocks import ResidualBlock, SpatialAttention, TransformerBlock
from ...architectures.adc_vsr.config import AdcVSRConfig
from ...architectures.adc_vsr.network import AdcVSR
from ...architectures.adc_vsr.temporal import TemporalBlock
from ...checkpoints.header import read_header
from ...checkpoints.metadata import Metadata, config_to_json
from ...checkpoints.strict import check_fit

RECOMPUTED = (ResidualBlock, TransformerBlock, SpatialAttention, TemporalBlock)
"""Parts whose activations are most of the memory that a step takes."""


def new_student(config: AdcVSRConfig, device: torch.device, *, seed: int, init: Path | None) -> AdcVSR:
    """Return the network with the weights of `init`, or drawn by `seed`."""
    torch.manual_seed(seed)
    network = AdcVSR(config).to(device)
    if device.type != "cpu":  # where group normalisation's backward pass is many times slower in channels-last memory
        network = network.to(memory_format=torch.channels_last)
    if init is not None:
        initialise(network, init)
    return network


def initialise(student: AdcVSR, path: Path) -> None:
    """Copy a model's weights into `student`; temporal blocks that it lacks stay at identity.

    Raises CheckpointError if anything else is missing or does not fit.
    """
    weights = load_file(read_header(path).path)
    own = {name: value for name, value in student.state_dict().items() if "_temporal." in name}
    tensors = {**own, **weights}
    check_fit(student, {name: tuple(value.shape) for name, value in tensors.items()}, path.name)
    student.load_state_dict(tensors)


def metadata(config: AdcVSRConfig, source: str) -> Metadata:
    """Return what an exported model says of itself."""
    return Metadata(architecture="adc_vsr", config=config_to_json(config), source=source)


@torch.no_grad()
def middle_frames(student: AdcVSR, lr: Tensor, target: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the middle frame of input, restored and true clips (B, T, 3, H, W) in 0..1, for a picture."""
    middle = lr.shape[1] // 2
    restored = student(lr * 2 - 1).frames[:, middle]
    return lr[:, middle], (restored + 1) / 2, target[:, middle]
