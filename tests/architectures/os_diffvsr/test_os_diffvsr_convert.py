"""Stable Diffusion 2.1 and OSEDiff's LoRA become one model file of ours."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from architectures.os_diffvsr.published import (
    original_tensors,
    osediff,
    tiny_network,
    with_lora,
    write_prompt,
    write_published,
)
from architectures.os_diffvsr.text_encoder import write_text_encoder
from restorers import random_clip
from safetensors.torch import load_file, save_file

from vsr_core.architectures.os_diffvsr.config import PAPER, TINY
from vsr_core.architectures.os_diffvsr.convert import convert
from vsr_core.architectures.os_diffvsr.network import OSDiffVSR
from vsr_core.architectures.os_diffvsr.prompt import DEFAULT, encode_prompt
from vsr_core.architectures.os_diffvsr.restorer import OSDiffVSRRestorer
from vsr_core.architectures.os_diffvsr.temporal import MultiFrameFusion
from vsr_core.checkpoints.header import read_header
from vsr_core.errors import CheckpointError, SettingError
from vsr_core.load import identify, load_restorer
from vsr_core.restore import Settings, restore
from vsr_core.runtime import StandaloneRuntime


@pytest.fixture
def network() -> OSDiffVSR:
    return tiny_network()


@pytest.fixture
def files(tmp_path, network) -> dict[str, Path]:
    return write_published(tmp_path, network)


@pytest.fixture
def out(tmp_path) -> Path:
    return tmp_path / "out.safetensors"


def merged(network: OSDiffVSR, rank: int = 4) -> dict[str, torch.Tensor]:
    """Return what the tensors of the model file should be, fusion and prompt left out."""
    lora = osediff(network, rank=rank)
    parts = {
        part: with_lora(getattr(network, part).state_dict(), lora[f"state_dict_{part}"], rank)
        for part in ("unet", "vae")
    }
    return {f"{part}.{name}": value for part, found in parts.items() for name, value in found.items()}


@pytest.mark.parametrize("rank", [4, 32])
def test_every_tensor_of_the_model_file_is_the_bases_plus_the_lora(files, out, network, rank):
    torch.save(osediff(network, rank=rank), files["osediff"])
    found = load_file(convert(**files, out=out, config=TINY))
    fusion = MultiFrameFusion(
        channels=TINY.latent_channels, heads=TINY.fusion_heads, width=TINY.fusion_width, scale=TINY.latent_scale
    )
    expected = {
        **merged(network, rank),
        **{f"fusion.{name}": value for name, value in fusion.state_dict().items()},
        **load_file(files["prompt_embeds"]),
    }
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-5, atol=1e-6)
    base = network.state_dict()
    changed = [name for name in expected if name in base and not torch.equal(found[name], base[name])]
    assert len(changed) >= sum(len(osediff(network)[f"state_dict_{part}"]) // 2 for part in ("unet", "vae"))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_weights_are_merged_before_they_are_rounded(files, out, tmp_path, dtype):
    rounded = load_file(convert(**files, out=out, dtype=dtype, config=TINY))
    exact = load_file(convert(**files, out=tmp_path / "exact.safetensors", config=TINY))
    assert rounded.keys() == exact.keys()
    assert all(torch.equal(rounded[name], value.to(dtype)) for name, value in exact.items())


def test_a_converted_file_restores_a_clip_as_the_merged_network_does(files, out, network):
    restorer = load_restorer(convert(**files, out=out, config=TINY))
    assert restorer.config == TINY
    prompt = load_file(files["prompt_embeds"])
    network.load_state_dict({**network.state_dict(), **merged(network), **prompt})
    clip, settings, runtime = random_clip(3, 32, 48), Settings(), StandaloneRuntime("cpu", "fp32")
    found, expected = (
        torch.cat(list(restore(clip, part, runtime, settings))) for part in (restorer, OSDiffVSRRestorer(network))
    )
    assert found.shape == (3, 3, 128, 192)
    assert found.std() > 0.01
    assert (found - expected).abs().max() < 1e-3


def test_a_single_file_becomes_the_same_model_as_a_folder(files, out, tmp_path, network):
    save_file(original_tensors(network), tmp_path / "sd.safetensors")
    single = convert(**{**files, "sd21": tmp_path / "sd.safetensors"}, out=tmp_path / "single.safetensors", config=TINY)
    found, expected = load_file(single), load_file(convert(**files, out=out, config=TINY))
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], value) for name, value in expected.items())


def test_a_model_file_says_what_it_is_made_of_but_not_where_that_was(files, out, tmp_path):
    metadata = identify(read_header(convert(**files, out=out, config=TINY)))
    for words in ("osediff.pkl", "sd21", "prompt.safetensors", "fusion untrained: similarity-weighted averaging"):
        assert words in metadata.source
    assert str(tmp_path) not in metadata.source
    assert metadata.licence == "OSEDiff: Apache-2.0; Stable Diffusion 2.1: CreativeML Open RAIL++-M"


def test_a_base_of_another_size_is_refused_by_tensor_name(files, out, tmp_path):
    with pytest.raises(CheckpointError, match=r"sd21 is for text of width 6.*expected Stable Diffusion 2.1 base"):
        convert(**{**files, "prompt_embeds": write_prompt(tmp_path / "full.safetensors", PAPER)}, out=out)


def test_a_base_with_a_tensor_missing_is_refused_by_its_name(files, out):
    file = files["sd21"] / "vae" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(file)
    del tensors["decoder.conv_norm_out.bias"]
    save_file(tensors, file)
    with pytest.raises(CheckpointError, match="The VAE of sd21 does not fit .* 1 missing .decoder.conv_norm_out.bias"):
        convert(**files, out=out, config=TINY)
    assert not out.exists()


def test_a_tensor_that_is_left_over_is_refused_by_its_name(files, out):
    file = files["sd21"] / "unet" / "diffusion_pytorch_model.safetensors"
    save_file({**load_file(file), "extra.weight": torch.zeros(1)}, file)
    with pytest.raises(CheckpointError, match="The UNet of sd21 does not fit .* 1 unexpected .extra.weight"):
        convert(**files, out=out, config=TINY)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("down_blocks.9.conv.lora_A.default_encoder.weight", "down_blocks.9.conv"),
        ("conv_out.lora_B.default_decoder.weight", "conv_out"),
        ("conv_in.base_layer.weight", "conv_in"),
        ("note.weight", "note"),
    ],
)
def test_a_lora_tensor_that_fits_nothing_is_refused_by_its_name(files, out, network, name, message):
    content = osediff(network)
    content["state_dict_unet"][name] = torch.zeros(4, 4)
    torch.save(content, files["osediff"])
    with pytest.raises(CheckpointError, match=message):
        convert(**files, out=out, config=TINY)
    assert not out.exists()


def test_a_base_in_half_precision_is_merged_in_float32(files, out, network):
    for part in ("unet", "vae"):
        file = files["sd21"] / part / "diffusion_pytorch_model.safetensors"
        save_file({name: value.half() for name, value in load_file(file).items()}, file)
    expected = merged(network.half().float())
    found = load_file(convert(**files, out=out, config=TINY))
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-5, atol=1e-6)


def test_without_a_prompt_the_ways_to_give_one_are_listed(files, out, tmp_path, network):
    del files["prompt_embeds"]
    with pytest.raises(CheckpointError, match="sd21 has no text_encoder/.*--prompt-embeds FILE.*--text-encoder DIR"):
        convert(**files, out=out, config=TINY)
    save_file(original_tensors(network), tmp_path / "sd.safetensors")
    with pytest.raises(CheckpointError, match="without the tokenizer.*ComfyUI has no node.*--prompt-embeds FILE"):
        convert(**{**files, "sd21": tmp_path / "sd.safetensors"}, out=out, config=TINY)


@pytest.mark.parametrize("extra", [{"prompt": "a photo"}, {"text_encoder": "folder"}])
def test_two_prompts_contradict_each_other(files, out, extra):
    with pytest.raises(SettingError, match="--prompt-embeds is the prompt already"):
        convert(**files, **extra, out=out, config=TINY)


def test_a_folder_with_a_text_encoder_needs_no_prompt(files, out, network):
    pytest.importorskip("transformers")
    config = replace(TINY, prompt_tokens=77)
    write_text_encoder(files["sd21"], config)
    del files["prompt_embeds"]
    path = convert(**files, out=out, config=config)
    assert torch.equal(load_file(path)["prompt"], encode_prompt(files["sd21"], DEFAULT, config))
    assert f"prompt {DEFAULT!r}" in identify(read_header(path)).source


def test_the_prompt_can_be_chosen_and_its_encoder_be_elsewhere(files, out, tmp_path):
    pytest.importorskip("transformers")
    folder = write_text_encoder(tmp_path / "text", TINY)
    del files["prompt_embeds"]
    path = convert(**files, text_encoder=folder, prompt="sharp", out=out, config=TINY)
    assert torch.equal(load_file(path)["prompt"], encode_prompt(folder, "sharp", TINY))
