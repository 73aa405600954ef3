import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from vsr_core.errors import ClipError, MissingPackageError
from vsr_core.metrics import load_lpips
from vsr_core.metrics.perceptual import SHAPES, load_network


@pytest.fixture
def backbone() -> dict[str, Tensor]:
    """Return random convolutions of AlexNet's shapes."""
    generator = torch.Generator().manual_seed(0)
    return {
        name: torch.randn(shape, generator=generator) / max(1, torch.Size(shape[1:]).numel()) ** 0.5
        for name, shape in SHAPES.items()
    }


@pytest.fixture
def lpips(backbone: dict[str, Tensor], tmp_path):
    """Return the metric with the random backbone."""
    pytest.importorskip("lpips")
    save_file(backbone, tmp_path / "alexnet.safetensors")
    return load_lpips(tmp_path)


def layers(backbone: dict[str, Tensor], clip: Tensor) -> list[Tensor]:
    """Return the five unit-length feature maps that LPIPS compares."""
    mean = torch.tensor([0.485, 0.456, 0.406]).reshape(3, 1, 1)
    deviation = torch.tensor([0.229, 0.224, 0.225]).reshape(3, 1, 1)
    x, maps = (clip - mean) / deviation, []
    for index, (stride, padding) in {0: (4, 2), 3: (1, 2), 6: (1, 1), 8: (1, 1), 10: (1, 1)}.items():
        x = F.max_pool2d(x, 3, 2) if index in (3, 6) else x
        weight, bias = (backbone[f"features.{index}.{kind}"] for kind in ("weight", "bias"))
        x = F.conv2d(x, weight, bias, stride, padding).relu()
        maps.append(F.normalize(x, dim=1))
    return maps


def test_lpips_is_the_weighted_distance_of_the_given_backbone(lpips, backbone, panning_clip: Tensor):
    import lpips as package

    linear = package.LPIPS(net="alex", pnet_rand=True, verbose=False).lins
    pairs = zip(layers(backbone, panning_clip[:2]), layers(backbone, panning_clip[1:3]), linear)
    expected = sum(lin.model[-1]((a - b) ** 2).mean(dim=(1, 2, 3)) for a, b, lin in pairs)

    torch.testing.assert_close(lpips(panning_clip[:2], panning_clip[1:3]), expected.detach(), atol=1e-4, rtol=1e-3)


def test_equal_frames_have_no_distance_and_noise_adds_some(lpips, panning_clip: Tensor):
    noise = torch.randn(panning_clip.shape, generator=torch.Generator().manual_seed(1))
    slight, strong = (panning_clip + share * noise for share in (0.02, 0.1))

    assert lpips(panning_clip, panning_clip).abs().max() < 1e-6
    assert (lpips(strong, panning_clip) > lpips(slight, panning_clip)).all()


def test_tiny_frames_are_refused(lpips):
    with pytest.raises(ClipError, match="at least 32x32"):
        lpips(torch.rand(1, 3, 16, 64), torch.rand(1, 3, 16, 64))


def test_torch_hub_cache_is_used_when_the_folder_has_no_backbone(backbone, panning_clip: Tensor, tmp_path, monkeypatch):
    pytest.importorskip("lpips")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    (tmp_path / "torch/hub/checkpoints").mkdir(parents=True)
    classifier = {"classifier.1.weight": torch.zeros(2, 2)}
    torch.save(backbone | classifier, tmp_path / "torch/hub/checkpoints/alexnet-owt-7be5be79.pth")
    save_file(backbone, tmp_path / "alexnet.safetensors")

    from_cache, from_folder = load_lpips(tmp_path / "empty"), load_lpips(tmp_path)

    pair = panning_clip[:1], panning_clip[2:3]
    torch.testing.assert_close(from_cache(*pair), from_folder(*pair))


def test_a_missing_backbone_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))

    with pytest.raises(MissingPackageError, match=r"alexnet.safetensors.*metric_weights.py"):
        load_lpips(tmp_path)


def test_as_a_loss_it_measures_the_same_and_passes_gradients_on(lpips, tmp_path):
    clip, reference = torch.rand(2, 2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    clip.requires_grad_(True)
    distances = load_network(tmp_path)(clip * 2 - 1, reference * 2 - 1)
    assert distances.shape == (2, 1, 1, 1)
    assert torch.allclose(distances.flatten(), lpips(clip, reference), atol=1e-5)
    distances.mean().backward()
    assert clip.grad.abs().max() > 0
