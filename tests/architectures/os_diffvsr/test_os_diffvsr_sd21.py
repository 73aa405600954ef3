"""Stable Diffusion 2.1 is read from every layout that it comes in, and nothing else is taken for it."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from architectures.os_diffvsr.published import (
    old_vae,
    original_tensors,
    original_unet_name,
    original_vae_name,
    tiny_network,
    write_folder,
)
from safetensors.torch import load_file, save_file
from torch import Tensor

from vsr_core.architectures.os_diffvsr.config import PAPER, TINY
from vsr_core.architectures.os_diffvsr.network import OSDiffVSR
from vsr_core.architectures.os_diffvsr.sd21 import read_sd21
from vsr_core.architectures.os_diffvsr.sd_keys import unet_name, vae_name
from vsr_core.errors import CheckpointError

PUBLISHED = json.loads((Path(__file__).parents[2] / "data" / "osediff_keys.json").read_text())["base"]
TO_OURS = {"unet": partial(unet_name, config=PAPER), "vae": partial(vae_name, config=PAPER)}
TO_ORIGINAL = {"unet": partial(original_unet_name, config=PAPER), "vae": partial(original_vae_name, config=PAPER)}


@pytest.fixture(scope="module")
def network() -> OSDiffVSR:
    return tiny_network()


def states(network: OSDiffVSR) -> dict[str, Tensor]:
    return {f"{part}.{k}": v for part in ("unet", "vae") for k, v in getattr(network, part).state_dict().items()}


def read(path: Path, config=TINY) -> dict[str, Tensor]:
    return {f"{part}.{k}": v for part, found in read_sd21(path, config).items() for k, v in found.items()}


def same(found: dict[str, Tensor], expected: dict[str, Tensor]) -> bool:
    return found.keys() == expected.keys() and all(torch.equal(found[name], expected[name]) for name in expected)


@pytest.fixture
def single_file(tmp_path, network):
    """Return a function that writes the whole checkpoint, changed by `change`, and returns its path."""

    def write(change=lambda tensors: None, tensors: dict[str, Tensor] | None = None) -> Path:
        tensors = dict(original_tensors(network) if tensors is None else tensors)
        change(tensors)
        save_file(tensors, tmp_path / "sd.safetensors")
        return tmp_path / "sd.safetensors"

    return write


@pytest.mark.parametrize(("part", "count"), [("unet", 686), ("vae", 248)])
def test_every_name_of_the_original_layout_is_translated_at_full_size(part, count):
    original = {TO_ORIGINAL[part](name): name for name in PUBLISHED[part]}
    assert len(original) == count
    assert {name: TO_OURS[part](name) for name in original} == original


@pytest.mark.parametrize(
    ("part", "original", "ours"),
    [
        ("unet", "time_embed.2.bias", "time_embedding.linear_2.bias"),
        ("unet", "input_blocks.3.0.op.weight", "down_blocks.0.downsamplers.0.conv.weight"),
        ("unet", "input_blocks.4.0.skip_connection.bias", "down_blocks.1.resnets.0.conv_shortcut.bias"),
        ("unet", "input_blocks.11.0.emb_layers.1.weight", "down_blocks.3.resnets.1.time_emb_proj.weight"),
        (
            "unet",
            "middle_block.1.transformer_blocks.0.attn2.to_out.0.bias",
            "mid_block.attentions.0.transformer_blocks.0.attn2.to_out.0.bias",
        ),
        ("unet", "output_blocks.2.1.conv.weight", "up_blocks.0.upsamplers.0.conv.weight"),
        ("unet", "output_blocks.5.2.conv.weight", "up_blocks.1.upsamplers.0.conv.weight"),
        ("unet", "output_blocks.11.1.proj_out.bias", "up_blocks.3.attentions.2.proj_out.bias"),
        ("unet", "out.0.weight", "conv_norm_out.weight"),
        ("vae", "decoder.up.3.block.0.conv1.weight", "decoder.up_blocks.0.resnets.0.conv1.weight"),
        ("vae", "decoder.up.1.block.0.nin_shortcut.bias", "decoder.up_blocks.2.resnets.0.conv_shortcut.bias"),
        ("vae", "encoder.down.0.downsample.conv.bias", "encoder.down_blocks.0.downsamplers.0.conv.bias"),
        ("vae", "decoder.mid.attn_1.proj_out.weight", "decoder.mid_block.attentions.0.to_out.0.weight"),
        ("vae", "encoder.mid.attn_1.norm.weight", "encoder.mid_block.attentions.0.group_norm.weight"),
        ("vae", "encoder.norm_out.bias", "encoder.conv_norm_out.bias"),
        ("vae", "post_quant_conv.bias", "post_quant_conv.bias"),
    ],
)
def test_known_names_are_translated(part, original, ours):
    assert ours in PUBLISHED[part]
    assert TO_OURS[part](original) == ours


@pytest.mark.parametrize("part", ["unet", "vae"])
def test_names_of_diffusers_stay(part):
    assert all(TO_OURS[part](name) == name for name in PUBLISHED[part])


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({}, ".safetensors"),
        ({"safe_serialization": False}, ".bin"),
        ({"variant": "fp16"}, ".fp16.safetensors"),
        ({"variant": "fp16", "safe_serialization": False}, ".fp16.bin"),
    ],
)
def test_a_folder_of_diffusers_is_read(tmp_path, network, options, kind):
    folder = write_folder(tmp_path, network, **options)
    assert (folder / "unet" / f"diffusion_pytorch_model{kind}").is_file()
    assert same(read(folder), states(network))


def test_the_more_precise_of_two_files_is_read(tmp_path, network):
    write_folder(tmp_path, tiny_network(seed=1), variant="fp16")
    write_folder(tmp_path, network)
    assert same(read(tmp_path), states(network))


def test_a_folder_with_the_autoencoders_old_names_is_read(tmp_path, network):
    folder = write_folder(tmp_path, network)
    file = folder / "vae" / "diffusion_pytorch_model.safetensors"
    tensors = old_vae(load_file(file))
    assert any(".proj_attn." in name for name in tensors)
    save_file(tensors, file)
    assert same(read(folder), states(network))


def test_a_single_file_is_read(network, single_file):
    assert same(read(single_file()), states(network))


@pytest.mark.parametrize("zipped", [True, False])
def test_a_single_pickle_is_read(tmp_path, network, zipped):
    content = {"state_dict": original_tensors(network), "global_step": 3}
    torch.save(content, tmp_path / "sd.ckpt", _use_new_zipfile_serialization=zipped)
    assert same(read(tmp_path / "sd.ckpt"), states(network))


@pytest.mark.parametrize("part", ["unet", "vae"])
def test_diffusers_reads_the_same_out_of_a_single_file(tmp_path, network, single_file, part):
    import diffusers

    folder, file = write_folder(tmp_path, network), single_file()
    kind = {"unet": diffusers.UNet2DConditionModel, "vae": diffusers.AutoencoderKL}[part]
    expected = kind.from_single_file(str(file), config=str(folder / part)).state_dict()
    assert same({k.removeprefix(f"{part}."): v for k, v in read(file).items() if k.startswith(part)}, expected)


@pytest.mark.parametrize(
    ("width", "kind"), [(768, "Stable Diffusion 1.5"), (2048, "Stable Diffusion XL"), (5, "another")]
)
def test_a_model_for_other_text_is_refused_by_its_width(tmp_path, single_file, width, kind):
    other = OSDiffVSR(replace(TINY, prompt_width=width)).requires_grad_(False)
    message = rf"text of width {width}, as {kind}.*attn2.to_k.weight is \(8, {width}\).*of width 6"
    with pytest.raises(CheckpointError, match=message):
        read(single_file(tensors=original_tensors(other)))
    with pytest.raises(CheckpointError, match=message):
        read(write_folder(tmp_path, other))


def test_an_inpainting_model_is_refused(single_file):
    def widen(tensors):
        name = "model.diffusion_model.input_blocks.0.0.weight"
        tensors[name] = torch.zeros(8, 9, 3, 3)

    with pytest.raises(CheckpointError, match="sd.safetensors is the inpainting model: its UNet takes 9 channels"):
        read(single_file(widen))


@pytest.mark.parametrize(("deviation", "refused"), [(0.12, True), (0.05, False)])
def test_a_model_that_predicts_v_is_refused_by_its_weights(single_file, deviation, refused):
    def spread(tensors):
        name = "model.diffusion_model.output_blocks.3.1.transformer_blocks.0.norm1.bias"
        tensors[name] = deviation * torch.tensor([1.0, -1.0]).repeat(len(tensors[name]) // 2)

    if refused:
        with pytest.raises(CheckpointError, match="seems to predict v.*expected Stable Diffusion 2.1 base"):
            read(single_file(spread))
    else:
        assert read(single_file(spread))


@pytest.mark.parametrize(
    ("text", "message"),
    [('{"prediction_type": "v_prediction"}', "sd predicts v_prediction"), ("{", "no JSON"), ("[]", "no JSON")],
)
def test_a_folder_whose_scheduler_does_not_fit_is_refused(tmp_path, network, text, message):
    folder = write_folder(tmp_path / "sd", network)
    (folder / "scheduler").mkdir()
    (folder / "scheduler" / "scheduler_config.json").write_text(text)
    with pytest.raises(CheckpointError, match=message):
        read(folder)


@pytest.mark.parametrize(
    ("prefix", "message"), [("first_stage_model.", "holds no VAE"), ("model.diffusion_model.", "holds no UNet")]
)
def test_a_file_without_one_of_the_parts_is_refused(network, single_file, prefix, message):
    tensors = {name: value for name, value in original_tensors(network).items() if not name.startswith(prefix)}
    with pytest.raises(CheckpointError, match=f"sd.safetensors {message}.*expected a whole checkpoint"):
        read(single_file(tensors=tensors))


def test_a_part_alone_is_no_whole_checkpoint(tmp_path, network):
    folder = write_folder(tmp_path, network)
    with pytest.raises(CheckpointError, match="holds no UNet and no VAE.*a folder in diffusers' layout"):
        read(folder / "unet" / "diffusion_pytorch_model.safetensors")


def test_a_tensor_of_no_known_part_is_refused_by_name(single_file):
    def add(tensors):
        tensors["control_model.input_hint_block.0.weight"] = torch.zeros(1)

    with pytest.raises(CheckpointError, match="no known part .control_model.input_hint_block.0.weight"):
        read(single_file(add))


def test_two_tensors_of_the_same_meaning_are_refused(single_file):
    def add(tensors):
        tensors["model.diffusion_model.conv_in.bias"] = torch.zeros(8)

    with pytest.raises(CheckpointError, match="Two tensors of the file are called conv_in.bias"):
        read(single_file(add))


def test_a_folder_without_weights_says_where_they_were_looked_for(tmp_path, network):
    folder = write_folder(tmp_path, network)
    with pytest.raises(
        CheckpointError, match=r"No weights in .*unet.*diffusion_pytorch_model.safetensors.*in which unet/"
    ):
        read(folder / "unet")


@pytest.mark.parametrize("name", ["missing.safetensors", "missing.ckpt", "missing"])
def test_a_path_where_nothing_is_is_refused(tmp_path, name):
    with pytest.raises(CheckpointError, match=name):
        read(tmp_path / name)
