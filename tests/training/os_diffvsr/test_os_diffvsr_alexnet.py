"""AlexNet as the discriminator that a CPU can train."""

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from vsr_core.errors import MissingPackageError
from vsr_core.metrics import perceptual
from vsr_core.training.os_diffvsr.discriminator import AlexNetPatches, load_alexnet


def frames(side: int) -> torch.Tensor:
    return torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_it_has_a_vector_for_every_16_pixels_and_all_of_it_learns():
    discriminator = AlexNetPatches()
    features = discriminator(frames(128))
    assert features.shape == (2, 256, 7, 7)
    features.square().mean().backward()
    assert all(value.grad is not None for value in discriminator.parameters())
    convolutions = [name for name, layer in discriminator.features.named_children() if isinstance(layer, nn.Conv2d)]
    assert convolutions == ["0", "3", "6", "8", "10"]  # torchvision's numbers


def test_its_weights_are_those_of_lpips(tmp_path):
    weights = {name: torch.rand(shape) for name, shape in perceptual.SHAPES.items()}
    save_file(weights, tmp_path / perceptual.WEIGHTS_FILE)
    loaded = load_alexnet(tmp_path).state_dict()
    assert loaded.keys() == weights.keys()
    assert all(torch.equal(loaded[name], weights[name]) for name in weights)


def test_without_its_weights_the_way_to_get_them_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(MissingPackageError, match="python benchmarks/metric_weights.py"):
        load_alexnet(tmp_path)
