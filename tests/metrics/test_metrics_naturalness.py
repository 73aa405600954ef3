import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from vsr_core.errors import CheckpointError, ClipError, MissingPackageError
from vsr_core.metrics import load_niqe, niqe
from vsr_core.metrics.naturalness import patch_features

# Features of the first patch of `grain` and its distance from (0, identity), by mmagic 1.2.0's NIQE.
MMAGIC_FEATURES = [
    *(2.598, 1.087, 0.931, 0.15604, 0.20214, 0.34221, 0.916, 0.16945, 0.18893, 0.33708, 0.916, -0.04943),
    *(0.28711, 0.24389, 0.914, -0.03813, 0.28255, 0.24933, 2.808, 1.24511, 0.978, 0.11447, 0.31868, 0.42952),
    *(1.006, 0.10169, 0.33277, 0.43532, 0.95, -0.07461, 0.39892, 0.32977, 0.994, -0.05245, 0.41056, 0.35856),
]
MMAGIC_DISTANCE = 7.339152544585647


@pytest.fixture
def grain() -> Tensor:
    """Return a grey image (210, 300) of whole numbers in 0..255: noise, smoothed by a 3x3 mean."""
    noise = np.pad(np.random.RandomState(0).rand(210, 300), 1, mode="edge")
    smooth = sum(noise[y : y + 210, x : x + 300] for y in range(3) for x in range(3)) / 9
    return torch.from_numpy((255 * (smooth - smooth.min()) / (smooth.max() - smooth.min())).round())


@pytest.fixture
def pristine(texture: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and covariance of the features of the unspoilt picture."""
    features = patch_features(255 * texture.mean(dim=0).double())
    return features.mean(dim=0), features.T.cov()


def as_clip(grey: Tensor) -> Tensor:
    """Return the clip (1, 3, H, W) whose luma is `grey`."""
    return ((grey - 16) / 219).float().expand(1, 3, -1, -1)


def test_features_equal_those_of_mmagic(grain: Tensor):
    features = patch_features(grain)

    assert features.shape == (6, 36)
    torch.testing.assert_close(features[0], torch.tensor(MMAGIC_FEATURES, dtype=torch.float64), atol=2e-5, rtol=0)


def test_distance_equals_that_of_mmagic(grain: Tensor):
    identity = torch.eye(36, dtype=torch.float64)

    distance = niqe(as_clip(grain), torch.zeros(36, dtype=torch.float64), identity)

    assert distance.item() == pytest.approx(MMAGIC_DISTANCE, abs=1e-6)


def test_blur_and_noise_are_further_from_the_unspoilt_picture(texture: Tensor, pristine: tuple):
    noise = torch.randn(texture.shape, generator=torch.Generator().manual_seed(1))
    blurred = torch.nn.functional.avg_pool2d(texture, 5, stride=1, padding=2, count_include_pad=False)
    clip = torch.stack([texture, blurred, (texture + 0.1 * noise).clamp(0, 1)])

    unspoilt, blurred, noisy = niqe(clip, *pristine)

    assert blurred > 2 * unspoilt
    assert noisy > 2 * unspoilt


def test_a_frame_of_one_colour_gives_nan(pristine: tuple):
    assert niqe(torch.full((1, 3, 96, 192), 0.5), *pristine).isnan().all()


def test_frames_of_a_single_patch_are_refused(pristine: tuple):
    with pytest.raises(ClipError, match="at least 192x96 pixels, got 191x120"):
        niqe(torch.rand(1, 3, 120, 191), *pristine)


def test_the_pristine_model_is_read_from_the_folder(tmp_path, texture: Tensor, pristine: tuple):
    mean, covariance = pristine
    save_file({"mean": mean, "covariance": covariance}, tmp_path / "niqe.safetensors")

    torch.testing.assert_close(load_niqe(tmp_path)(texture[None]), niqe(texture[None], mean, covariance))


def test_a_missing_pristine_model_says_how_to_get_it(tmp_path):
    with pytest.raises(MissingPackageError, match=r"niqe.safetensors.*metric_weights.py"):
        load_niqe(tmp_path)


def test_a_file_with_other_tensors_is_refused(tmp_path):
    save_file({"mean": torch.zeros(36)}, tmp_path / "niqe.safetensors")

    with pytest.raises(CheckpointError, match="covariance"):
        load_niqe(tmp_path)


def test_a_file_that_is_no_safetensors_file_is_refused(tmp_path):
    (tmp_path / "niqe.safetensors").write_bytes(b"not a model")

    with pytest.raises(CheckpointError, match="not a readable safetensors file"):
        load_niqe(tmp_path)
