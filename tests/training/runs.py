"""What the tests of training runs share."""

from pathlib import Path

import torch
from safetensors.torch import load_file

from vsr_core.checkpoints.header import read_header
from vsr_core.training.loop import LoopConfig

LOOP = LoopConfig(workers=0)


def same_model(first: Path, second: Path) -> bool:
    """Compare tensors bit by bit, and metadata, whose order in the file is random."""
    tensors, others = load_file(first), load_file(second)
    same = tensors.keys() == others.keys() and all(torch.equal(tensors[name], others[name]) for name in tensors)
    return same and read_header(first).metadata == read_header(second).metadata
