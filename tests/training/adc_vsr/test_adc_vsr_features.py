"""The feature loss: what the paper's student is compared with."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from training.runs import CPU

from vsr_core.architectures.adc_vsr import TINY, build
from vsr_core.architectures.adc_vsr.autoencoder import MiddleBlock
from vsr_core.architectures.adc_vsr.network import AdcVSR
from vsr_core.checkpoints.metadata import Metadata, config_to_json
from vsr_core.checkpoints.write import write_model
from vsr_core.errors import CheckpointError, SettingError
from vsr_core.training.adc_vsr import stage1
from vsr_core.training.adc_vsr.features import TeacherFeatures, load_teacher_features


@pytest.fixture(scope="module")
def vae():
    from diffusers import AutoencoderKL

    torch.manual_seed(0)
    blocks = {"down_block_types": ["DownEncoderBlock2D"] * 4, "up_block_types": ["UpDecoderBlock2D"] * 4}
    return AutoencoderKL(block_out_channels=[8] * 4, layers_per_block=1, norm_num_groups=4, **blocks).eval()


def test_teacher_features_are_the_middle_block_of_the_encoded_frames(vae):
    conv_in, middle = nn.Conv2d(4, 16, 3, padding=1), MiddleBlock(16, attention=True).eval()
    clip = torch.rand(1, 2, 3, 32, 48) * 2 - 1
    features = TeacherFeatures(vae=vae, conv_in=conv_in, middle=middle)(clip)
    with torch.no_grad():
        expected = middle(conv_in(vae.post_quant_conv(vae.encode(clip[0]).latent_dist.mode())))
    assert torch.allclose(features[0], expected, atol=1e-5)
    assert not features.requires_grad


def test_teacher_features_load_from_published_files(vae, tmp_path):
    vae.save_pretrained(tmp_path / "vae")
    middle = MiddleBlock(16, attention=True)
    back = (
        ("residual1.", "resnets.0."),
        ("residual2.", "resnets.1."),
        ("attention.norm.", "attentions.0.group_norm."),
        ("attention.attention.", "attentions.0."),
        ("to_out.", "to_out.0."),
    )
    tensors = {"decoder.conv_in.weight": torch.randn(16, 4, 3, 3), "decoder.conv_in.bias": torch.randn(16)}
    for name, value in middle.state_dict().items():
        for ours, published in back:
            name = name.replace(ours, published)
        tensors["decoder.mid_block." + name] = value
    torch.save({"state_dict": tensors}, tmp_path / "half.ckpt")
    loaded = load_teacher_features(tmp_path / "vae", tmp_path / "half.ckpt")
    assert all(torch.equal(value, middle.state_dict()[name]) for name, value in loaded.middle.state_dict().items())
    with pytest.raises(CheckpointError, match="diffusers folder"):
        load_teacher_features(tmp_path, tmp_path / "half.ckpt")


def test_the_paper_run_says_which_files_it_needs():
    with pytest.raises(SettingError, match="--vae and --half-decoder"):
        stage1.build(stage1.paper(), CPU)


def test_a_student_starts_from_an_image_model_with_idle_temporal_blocks(tmp_path):
    image_config = replace(TINY, temporal=False)
    image = AdcVSR(image_config)
    metadata = Metadata(architecture="adc_vsr", config=config_to_json(image_config))
    path = write_model(tmp_path / "image.safetensors", image.state_dict(), metadata)
    student = stage1.build(stage1.tiny(), CPU, init=path).student.network.eval()
    clip = torch.rand(4, 3, 16, 16)
    restorer = build(image_config, image.state_dict(), "image")
    with torch.no_grad():
        latent = restorer.step(restorer.encode(clip))
        alone = restorer.decode(latent, clip)
        together = (student(clip[None] * 2 - 1).frames[0] + 1) / 2
    assert torch.allclose(alone, together, atol=1e-4)
