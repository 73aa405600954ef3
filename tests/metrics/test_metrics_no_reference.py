import sys

import pytest
import torch

from vsr_core.errors import CheckpointError, ClipError, MissingPackageError
from vsr_core.metrics.no_reference import MANIQA_FILE, MUSIQ_FILE, load_maniqa, load_musiq, untrained


@pytest.fixture(autouse=True)
def nothing_cached(tmp_path, monkeypatch):
    """Let no cache of this machine be found, and nothing be downloaded into it."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "no-hub"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture
def random_musiq(tmp_path):
    """Write the weights of an untrained MUSIQ and return pyiqa's own network with them."""
    pyiqa = pytest.importorskip("pyiqa")
    torch.manual_seed(0)
    network = pyiqa.create_metric("musiq", pretrained=False, device=torch.device("cpu"))
    torch.save(network.net.state_dict(), tmp_path / MUSIQ_FILE)
    return network


def test_musiq_with_the_weights_of_the_folder_is_that_of_pyiqa(random_musiq, tmp_path):
    clip = torch.rand(2, 3, 64, 96, generator=torch.Generator().manual_seed(1))

    values = load_musiq(tmp_path)(clip)

    torch.testing.assert_close(values, torch.cat([random_musiq(frame[None]).flatten() for frame in clip]))
    assert values[0] != values[1]


def test_weights_of_another_network_are_refused(random_musiq, tmp_path):
    torch.save({"params": {"weight": torch.zeros(1)}}, tmp_path / MUSIQ_FILE)

    with pytest.raises(CheckpointError, match="does not fit this version of pyiqa"):
        load_musiq(tmp_path)


def test_frames_smaller_than_a_patch_are_refused(random_musiq, tmp_path):
    with pytest.raises(ClipError, match="at least 32x32"):
        load_musiq(tmp_path)(torch.rand(1, 3, 16, 64))


@pytest.mark.slow
def test_maniqa_needs_no_other_weights_than_its_own(tmp_path):
    pytest.importorskip("pyiqa")
    from pyiqa.archs.maniqa_arch import MANIQA

    network = untrained(lambda metric, **options: MANIQA(pretrained=False), "maniqa")
    torch.save({"params": network.state_dict()}, tmp_path / MANIQA_FILE)

    rate = load_maniqa(tmp_path)  # would fail on the download of timm's ViT

    with pytest.raises(ClipError, match="at least 224x224"):
        rate(torch.rand(1, 3, 223, 300))


@pytest.mark.parametrize(("load", "file"), [(load_musiq, MUSIQ_FILE), (load_maniqa, MANIQA_FILE)])
def test_absent_weights_are_named_with_where_they_come_from(load, file, tmp_path):
    pytest.importorskip("pyiqa")

    with pytest.raises(MissingPackageError, match=rf"{file} was not found in .*IQA-PyTorch-Weights.*--weights"):
        load(tmp_path)


@pytest.mark.parametrize("load", [load_musiq, load_maniqa])
def test_without_pyiqa_the_package_and_its_terms_are_named(load, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyiqa", None)

    with pytest.raises(MissingPackageError, match=r"non-commercial use only.* pip install --upgrade pyiqa"):
        load(tmp_path)
