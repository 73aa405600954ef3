import pytest
import torch
from safetensors.torch import save_file
from torchvision_operators import make_torchvision_importable

from vsr_core.metrics.naturalness import FEATURES, WEIGHTS_FILE
from vsr_core.metrics.weights import ENVIRONMENT_VARIABLE

make_torchvision_importable()


@pytest.fixture(autouse=True)
def weights(tmp_path, monkeypatch):
    """The folder that NIQE's weights are looked for in, empty."""
    folder = tmp_path / "weights"
    folder.mkdir()
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(folder))
    return folder


@pytest.fixture
def niqe_weights(weights):
    """The same folder with a file for NIQE: pristine pictures whose features are 0, each with deviation 1."""
    tensors = {"mean": torch.zeros(FEATURES), "covariance": torch.eye(FEATURES)}
    save_file({name: tensor.double() for name, tensor in tensors.items()}, weights / WEIGHTS_FILE)
    return weights
