import sys

import pytest
import torch

from vsr_core.errors import ClipError, MissingPackageError
from vsr_core.metrics.clip_iqa import load_clip_iqa


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Let piq look for its files in an empty home."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    return tmp_path


@pytest.fixture
def small_clip(home):
    """Write a small random CLIP as TorchScript, and the tokens of two prompts, where piq looks for its own."""
    pytest.importorskip("piq")
    from piq.feature_extractors.clip import CLIP

    torch.manual_seed(0)
    network = CLIP(
        embed_dim=16, image_resolution=64, vision_layers=(1, 1, 1, 1), vision_width=8, vision_patch_size=None,
        context_length=6, vocab_size=40, transformer_width=64, transformer_heads=1, transformer_layers=1,
    )  # fmt: skip
    folder = home / ".cache" / "clip"
    folder.mkdir(parents=True)
    torch.jit.save(torch.jit.script(Weights(network)), folder / "RN50.pt")
    torch.save(torch.tensor([[1, 5, 39, 0, 0, 0], [1, 9, 39, 0, 0, 0]]), folder / "clipiqa_tokens.pt")


class Weights(torch.nn.Module):
    """Carries the state of a network into a TorchScript file; piq reads nothing else of it."""

    def __init__(self, network: torch.nn.Module):
        super().__init__()
        for name, child in network.named_children():
            self.add_module(name, Weights(child))
        for name, value in network.named_parameters(recurse=False):
            self.register_parameter(name, torch.nn.Parameter(value.detach()))
        for name, value in network.named_buffers(recurse=False):
            self.register_buffer(name, value)

    def forward(self):
        return 0


def test_every_frame_has_its_own_value_between_0_and_1(small_clip):
    clip = torch.rand(3, 3, 40, 72, generator=torch.Generator().manual_seed(1))

    values = load_clip_iqa()(clip)

    assert values.shape == (3,)
    assert ((values > 0) & (values < 1)).all()
    torch.testing.assert_close(values[1:2], load_clip_iqa()(clip[1:2]))


def test_tiny_frames_are_refused(small_clip):
    with pytest.raises(ClipError, match="at least 32x32"):
        load_clip_iqa()(torch.rand(1, 3, 16, 64))


def test_absent_files_are_named_with_where_they_come_from_and_nothing_is_downloaded(home):
    pytest.importorskip("piq")

    with pytest.raises(MissingPackageError, match=r"RN50.pt and clipiqa_tokens.pt not found in .*v0.7.1"):
        load_clip_iqa()
    assert list(home.iterdir()) == []


def test_without_piq_the_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "piq", None)

    with pytest.raises(MissingPackageError, match="pip install --upgrade piq"):
        load_clip_iqa()
