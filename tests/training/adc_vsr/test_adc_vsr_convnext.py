"""The ConvNeXt of the pixel discriminator computes what transformers' does, and loads OpenCLIP's files."""

import pytest
import torch
from safetensors.torch import save_file

from vsr_core.errors import CheckpointError
from vsr_core.training.adc_vsr.convnext import DEVIATION, MEAN, ConvNeXt, load_convnext

WIDTHS, DEPTHS = (8, 16, 24), (1, 2, 1)
OURS_TO_TRANSFORMERS = (
    ("stem.0", "embeddings.patch_embeddings"),
    ("stem.1", "embeddings.layernorm"),
    ("stages.", "encoder.stages."),
    ("downsample", "downsampling_layer"),
    ("blocks.", "layers."),
    ("conv_dw", "dwconv"),
    (".norm.", ".layernorm."),
    ("mlp.fc1", "pwconv1"),
    ("mlp.fc2", "pwconv2"),
    ("gamma", "layer_scale_parameter"),
)


@pytest.fixture
def network() -> ConvNeXt:
    torch.manual_seed(0)
    network = ConvNeXt(widths=WIDTHS, depths=DEPTHS)
    for value in network.parameters():
        torch.nn.init.normal_(value, std=0.3)
    return network


def openclip(network: ConvNeXt) -> dict[str, torch.Tensor]:
    trunk = {"visual.trunk." + name: value for name, value in network.state_dict().items()}
    return trunk | {"visual.trunk.head.norm.weight": torch.ones(24), "logit_scale": torch.ones(())}


def test_it_is_the_network_of_transformers(network):
    transformers = pytest.importorskip("transformers")
    other = transformers.ConvNextModel(
        transformers.ConvNextConfig(num_stages=3, hidden_sizes=list(WIDTHS), depths=list(DEPTHS))
    ).eval()
    tensors = {}
    for name, value in network.state_dict().items():
        for ours, theirs in OURS_TO_TRANSFORMERS:
            name = name.replace(ours, theirs)
        tensors[name] = value
    missing, unexpected = other.load_state_dict(tensors, strict=False)
    assert unexpected == []
    assert set(missing) == {"layernorm.weight", "layernorm.bias"}
    frames = torch.rand(2, 3, 32, 64)
    mean, deviation = (torch.tensor(values).view(3, 1, 1) for values in (MEAN, DEVIATION))
    with torch.no_grad():
        expected = other((frames - mean) / deviation).last_hidden_state
        assert torch.allclose(network(frames * 2 - 1), expected, atol=1e-4)


@pytest.mark.parametrize("suffix", ["bin", "safetensors"])
def test_a_file_of_openclip_is_loaded_up_to_the_stage_asked_for(network, tmp_path, suffix):
    path = tmp_path / f"open_clip_model.{suffix}"
    (torch.save if suffix == "bin" else save_file)(openclip(network), path)
    loaded = load_convnext(path, stages=2)
    frames = torch.rand(1, 3, 32, 32)
    assert loaded.channels == 16
    with torch.no_grad():
        assert torch.equal(loaded(frames), network.stages[1](network.stages[0](network.stem(normalised(frames)))))


def normalised(frames: torch.Tensor) -> torch.Tensor:
    mean, deviation = (torch.tensor(values).view(3, 1, 1) for values in (MEAN, DEVIATION))
    return ((frames + 1) / 2 - mean) / deviation


def test_another_file_is_refused(network, tmp_path):
    torch.save({"visual.transformer.weight": torch.ones(3)}, tmp_path / "vit.bin")
    with pytest.raises(CheckpointError, match="0 stages of a ConvNeXt.*3 are needed.*convnext_xxlarge"):
        load_convnext(tmp_path / "vit.bin", stages=3)
    tensors = openclip(network)
    del tensors["visual.trunk.stages.1.blocks.0.mlp.fc1.bias"]
    torch.save(tensors, tmp_path / "damaged.bin")
    with pytest.raises(CheckpointError, match="fc1.bias"):
        load_convnext(tmp_path / "damaged.bin", stages=2)
