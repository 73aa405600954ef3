"""DINOv2 as the discriminator: what it reads, what of it learns, and which files it takes."""

import pytest
import torch

from vsr_core.errors import CheckpointError
from vsr_core.training.os_diffvsr.discriminator import load_dinov2, normalised, tiny_dinov2

transformers = pytest.importorskip("transformers", reason="DINOv2 is transformers'")


def frames(side: int = 64) -> torch.Tensor:
    return torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_pictures_are_normalised_as_imagenets():
    grey = torch.zeros(1, 3, 1, 1)
    expected = [(0.5 - mean) / deviation for mean, deviation in ((0.485, 0.229), (0.456, 0.224), (0.406, 0.225))]
    assert normalised(grey).flatten().tolist() == pytest.approx(expected)


@pytest.mark.parametrize("side, patches", [(70, 5), (64, 5), (56, 4), (512, 37)])
def test_dinov2_has_a_vector_for_every_14_pixels_and_leaves_none_out(side, patches):
    discriminator = tiny_dinov2()
    with torch.no_grad():
        features = discriminator(frames(side))
        assert features.shape == (2, 16, patches, patches)
        changed = frames(side)
        changed[..., -1, -1] = 1 - changed[..., -1, -1]
        assert (discriminator(changed) - features).abs().sum(1)[:, -1, -1].min() > 1e-6


def test_dinov2s_vectors_are_its_patch_tokens_row_by_row():
    discriminator = tiny_dinov2().eval()
    with torch.no_grad():
        tokens = discriminator.backbone(pixel_values=normalised(frames(70))).last_hidden_state
        features = discriminator(frames(70))
    assert tokens.shape[1] == 26
    assert torch.allclose(features[:, :, 1, 2], tokens[:, 1 + 5 + 2], atol=1e-6)


def test_all_of_dinov2_that_takes_part_learns():
    discriminator = tiny_dinov2()
    discriminator(frames()).square().mean().backward()
    frozen = {name for name, value in discriminator.named_parameters() if not value.requires_grad}
    assert frozen == {"backbone.embeddings.mask_token"}
    assert all(value.grad is not None for value in discriminator.parameters() if value.requires_grad)


def test_dinov2_is_read_from_a_folder(tmp_path):
    torch.manual_seed(1)
    written = tiny_dinov2()
    written.backbone.save_pretrained(tmp_path)
    with torch.no_grad():
        assert torch.allclose(load_dinov2(tmp_path)(frames()), written(frames()), atol=1e-6)


def test_a_folder_without_dinov2_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="no config.json; name a folder .* facebook/dinov2-small"):
        load_dinov2(tmp_path)
    sizes = transformers.CLIPTextConfig(vocab_size=8, hidden_size=4, num_hidden_layers=1, num_attention_heads=2)
    transformers.CLIPTextModel(sizes).save_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match="facebook/dinov2-small"):
        load_dinov2(tmp_path)
