import pytest
import torch
from torch import Tensor

from vsr_core.errors import ClipError
from vsr_core.metrics import psnr, ssim

pytest.importorskip("torchmetrics")


def test_psnr_of_a_known_error_is_exact(panning_clip: Tensor):
    off = panning_clip.clone()
    off[1] += 0.1  # mean squared error 0.01

    values = psnr(off, panning_clip)

    assert values[0] == float("inf")
    assert values[1].item() == pytest.approx(20, abs=1e-3)


def test_ssim_agrees_with_its_formula_in_scipy(panning_clip: Tensor):
    filters = pytest.importorskip("scipy.ndimage")
    noise = torch.randn(panning_clip[:1].shape, generator=torch.Generator().manual_seed(0))
    noisy = (panning_clip[:1] + 0.05 * noise).clamp(0, 1)

    def blur(image):
        return filters.gaussian_filter(image, 1.5, radius=5, axes=(1, 2), mode="mirror")

    x, y = noisy[0].double().numpy(), panning_clip[0].double().numpy()
    mean_x, mean_y = blur(x), blur(y)
    var_x, var_y, covariance = blur(x * x) - mean_x**2, blur(y * y) - mean_y**2, blur(x * y) - mean_x * mean_y
    similarity = ((2 * mean_x * mean_y + 1e-4) * (2 * covariance + 9e-4)) / (
        (mean_x**2 + mean_y**2 + 1e-4) * (var_x + var_y + 9e-4)
    )

    assert ssim(noisy, panning_clip[:1]).item() == pytest.approx(similarity.mean(), abs=1e-5)


def test_ssim_gives_one_value_per_frame(panning_clip: Tensor):
    torch.testing.assert_close(ssim(panning_clip, panning_clip), torch.ones(4))


def test_clips_of_different_shapes_are_refused(panning_clip: Tensor):
    with pytest.raises(ClipError, match=r"\(4, 3, 128, 160\) and \(3, 3, 128, 160\)"):
        psnr(panning_clip, panning_clip[:3])


def test_frames_smaller_than_the_ssim_window_are_refused():
    tiny = torch.rand(1, 3, 8, 20)

    with pytest.raises(ClipError, match="at least 11x11 pixels, got 20x8"):
        ssim(tiny, tiny)
