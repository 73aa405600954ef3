"""Without OpenCV or diffusers the pack loads, what needs them says what to install, and the rest works."""

import sys

import pytest


@pytest.fixture
def missing(monkeypatch):
    """Make packages look not installed."""
    return lambda *names: [monkeypatch.setitem(sys.modules, name, None) for name in names]


@pytest.fixture
def missing_package(part_of_pack):
    return part_of_pack("vsr_core.errors").MissingPackageError


def test_a_model_that_needs_diffusers_says_so(missing, missing_package, execute):
    missing("diffusers")
    for name in ("tiny_fusing.safetensors", "tiny_video.safetensors"):
        with pytest.raises(missing_package, match=r"needs the package diffusers.*-m pip install --upgrade diffusers"):
            execute("VSRLoadModel", model_name=name, dtype="auto")


def test_flow_that_needs_opencv_says_so(missing, missing_package, execute, moving):
    missing("cv2")
    with pytest.raises(
        missing_package, match=r"needs the package opencv-python.*-m pip install --upgrade opencv-python"
    ):
        execute("VSROpticalFlowWarp", images=moving())


def test_a_model_that_needs_neither_works_without_them(missing, execute, moving):
    missing("diffusers", "cv2")
    model = execute("VSRLoadModel", model_name="tiny.safetensors", dtype="auto")
    latent = execute("VSROneStepUpscale", model=model, images=moving(count=2))
    assert execute("VSRVideoVAEDecode", model=model, latent=latent).shape == (2, 160, 192, 3)
