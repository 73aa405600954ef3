"""Wan2.1 is read from every layout that it comes in, and nothing else is taken for it."""

from pathlib import Path

import pytest
import torch
from architectures.duo_vsr.published import (
    OFFICIAL,
    STYLES,
    WEIGHTS,
    dit_tensors,
    tiny_network,
    vae_tensors,
    write_folder,
)
from safetensors.torch import save_file
from torch import Tensor

from vsr_core.architectures.duo_vsr.config import PAPER, TINY
from vsr_core.architectures.duo_vsr.network import DuoVSR
from vsr_core.architectures.duo_vsr.wan_files import read_dit, read_vae
from vsr_core.architectures.duo_vsr.wan_keys import official_dit_name, official_vae_name
from vsr_core.errors import CheckpointError

VAE_STYLES = ("official", "diffusers", "vae.")


@pytest.fixture(scope="module")
def network() -> DuoVSR:
    return tiny_network()


@pytest.fixture(scope="module")
def paper() -> DuoVSR:
    with torch.device("meta"):
        return DuoVSR(PAPER)


def saved(path: Path, tensors: dict[str, Tensor]) -> Path:
    (save_file if path.suffix == ".safetensors" else torch.save)(tensors, path)
    return path


def same(found: dict[str, Tensor], expected: dict[str, Tensor]) -> bool:
    return found.keys() == expected.keys() and all(torch.equal(found[name], expected[name]) for name in expected)


def numbered(part: str, path: Path) -> Path:
    """Write every published tensor at full size, filled with its number in the list; a few kilobytes each."""
    shapes = OFFICIAL[part].items()
    torch.save({name: torch.tensor(float(number)).expand(shape) for number, (name, shape) in enumerate(shapes)}, path)
    return path


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("file", ["wan.safetensors", "wan.pth"])
def test_a_dit_is_read_under_all_of_its_names(tmp_path, network, style, file):
    found, is_new = read_dit(saved(tmp_path / file, dit_tensors(network, style)), network.dit, TINY)
    assert same(found, network.dit.state_dict())
    assert not is_new


@pytest.mark.parametrize("style", VAE_STYLES)
@pytest.mark.parametrize("file", ["vae.safetensors", "vae.pth"])
def test_a_vae_is_read_under_all_of_its_names(tmp_path, network, style, file):
    found = read_vae(saved(tmp_path / file, vae_tensors(network, style)), network.vae, TINY)
    assert same(found, network.vae.state_dict())


def test_a_dit_with_one_input_gets_a_second_one_of_zeros(tmp_path, network):
    path = saved(tmp_path / "wan.safetensors", dit_tensors(network, channels=TINY.latent_channels))
    found, is_new = read_dit(path, network.dit, TINY)
    noise, lr = found["patch_embedding.weight"].chunk(2, 1)
    assert is_new
    assert torch.equal(noise, network.dit.patch_embedding.weight[:, : TINY.latent_channels])
    assert lr.shape == noise.shape
    assert not lr.any()


def test_every_tensor_of_the_published_dit_finds_its_place_at_full_size(tmp_path, paper):
    found, is_new = read_dit(numbered("dit", tmp_path / "wan.pth"), paper.dit, PAPER)
    order = list(OFFICIAL["dit"])
    assert is_new
    assert found.keys() == paper.dit.state_dict().keys()
    for name, value in found.items():
        assert order[int(value.flatten()[0])] == official_dit_name(name)


def test_every_tensor_of_the_published_vae_finds_its_place_at_full_size(tmp_path, paper):
    found = read_vae(numbered("vae", tmp_path / "Wan2.1_VAE.pth"), paper.vae, PAPER)
    order = list(OFFICIAL["vae"])
    assert found.keys() == paper.vae.state_dict().keys()
    for name, value in found.items():
        assert order[int(value.flatten()[0])] == official_vae_name(name, PAPER)


@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.parametrize("style", ["official", "diffusers"])
def test_a_folder_in_diffusers_layout_is_read_in_one_piece_or_several(tmp_path, network, shards, style):
    folder = write_folder(tmp_path / "wan", "transformer", dit_tensors(network, style), shards)
    write_folder(folder, "vae", vae_tensors(network, style), shards)
    for place in (folder, folder / "transformer"):
        assert same(read_dit(place, network.dit, TINY)[0], network.dit.state_dict())
    for place in (folder, folder / "vae"):
        assert same(read_vae(place, network.vae, TINY), network.vae.state_dict())


def test_the_folder_of_the_original_repository_is_read(tmp_path, network):
    save_file(dit_tensors(network), tmp_path / WEIGHTS)
    torch.save(vae_tensors(network), tmp_path / "Wan2.1_VAE.pth")
    assert same(read_dit(tmp_path, network.dit, TINY)[0], network.dit.state_dict())
    with pytest.raises(CheckpointError, match="is a Wan DiT: give it as --wan"):
        read_vae(tmp_path, network.vae, TINY)  # the DiT has the name that a folder's weights have
    assert same(read_vae(tmp_path / "Wan2.1_VAE.pth", network.vae, TINY), network.vae.state_dict())


def test_a_whole_checkpoint_that_comfyui_saved_holds_both(tmp_path, network):
    tensors = {
        **dit_tensors(network, "model.diffusion_model."),
        **vae_tensors(network, "vae."),
        "text_encoders.umt5xxl.transformer.shared.weight": torch.zeros(2, 2),
    }
    path = saved(tmp_path / "whole.safetensors", tensors)
    assert same(read_dit(path, network.dit, TINY)[0], network.dit.state_dict())
    assert same(read_vae(path, network.vae, TINY), network.vae.state_dict())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_stays_as_it_is(tmp_path, network, dtype):
    half = {name: value.to(dtype) for name, value in dit_tensors(network).items()}
    found, _ = read_dit(saved(tmp_path / "wan.safetensors", half), network.dit, TINY)
    assert {value.dtype for value in found.values()} == {dtype}


@pytest.mark.parametrize("dtype", [torch.float8_e4m3fn, torch.float8_e5m2])
def test_weights_of_8_bits_are_read_exactly(tmp_path, network, dtype):
    stored = {n: v.to(dtype) if v.ndim > 1 else v.half() for n, v in dit_tensors(network, "diffusion_model.").items()}
    found, _ = read_dit(saved(tmp_path / "wan.safetensors", stored), network.dit, TINY)
    for name, value in network.dit.state_dict().items():
        expected = value.to(dtype) if value.ndim > 1 else value.half()
        assert torch.equal(found[name].float(), expected.float())


def test_comfyuis_scaled_8_bit_files_are_read(tmp_path, network):
    stored = {"model.diffusion_model.scaled_fp8": torch.zeros(2, dtype=torch.float8_e4m3fn)}
    for name, value in dit_tensors(network, "model.diffusion_model.").items():
        if name.endswith(".weight") and value.ndim == 2:
            factor = value.abs().max() / 448
            stored[name] = (value / factor).to(torch.float8_e4m3fn)
            stored[name.removesuffix("weight") + "scale_weight"] = factor
            stored[name.removesuffix("weight") + "scale_input"] = torch.ones(())
        else:
            stored[name] = value
    found, _ = read_dit(saved(tmp_path / "wan.safetensors", stored), network.dit, TINY)
    assert found.keys() == network.dit.state_dict().keys()
    for name, value in network.dit.state_dict().items():
        assert (found[name].float() - value).abs().max() <= 0.04 * value.abs().max()


MIXED = {
    "half of them with a prefix": lambda own, diffusers: {
        **{f"diffusion_model.{name}": value for name, value in list(own.items())[:9]},
        **dict(list(own.items())[9:]),
    },
    "one of them diffusers'": lambda own, diffusers: {
        **{name: value for name, value in own.items() if name != "blocks.1.self_attn.q.weight"},
        "blocks.1.attn1.to_q.weight": diffusers["blocks.1.attn1.to_q.weight"],
    },
    "both": lambda own, diffusers: {**diffusers, **own},
}


@pytest.mark.parametrize("kind", MIXED)
def test_two_styles_of_names_in_one_file_are_refused(tmp_path, network, kind):
    tensors = MIXED[kind](dit_tensors(network), dit_tensors(network, "diffusers"))
    path = saved(tmp_path / "wan.pth", tensors)
    with pytest.raises(CheckpointError, match="wan.pth mixes two styles of names.*Take the original file"):
        read_dit(path, network.dit, TINY)


def test_two_styles_of_names_in_one_vae_are_refused(tmp_path, network):
    tensors = {**vae_tensors(network), "decoder.conv_in.bias": torch.zeros(16)}
    with pytest.raises(CheckpointError, match=r"vae.pth mixes two styles.*diffusers' .decoder.conv_in.bias"):
        read_vae(saved(tmp_path / "vae.pth", tensors), network.vae, TINY)


@pytest.mark.parametrize("cut", [100, 5000, -1])
@pytest.mark.parametrize("file", ["wan.safetensors", "wan.pth"])
def test_a_truncated_file_is_refused_by_name(tmp_path, network, file, cut):
    path = saved(tmp_path / file, dit_tensors(network))
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(CheckpointError, match=f"{file} .*is not a whole"):
        read_dit(path, network.dit, TINY)


def test_a_tensor_that_is_missing_or_left_over_is_refused_by_name(tmp_path, network):
    tensors = dit_tensors(network)
    tensors["blocks.1.self_attn.extra"] = tensors.pop("blocks.1.self_attn.q.bias")
    message = r"The DiT of wan.pth does not fit .* 1 missing .blocks.1.attn1.to_q.bias.* 1 unexpected .*self_attn.extra"
    with pytest.raises(CheckpointError, match=message):
        read_dit(saved(tmp_path / "wan.pth", tensors), network.dit, TINY)
    tensors = vae_tensors(network)
    del tensors["encoder.conv1.bias"]
    with pytest.raises(CheckpointError, match="The VAE of vae.pth does not fit .* 1 missing .encoder.conv_in.bias"):
        read_vae(saved(tmp_path / "vae.pth", tensors), network.vae, TINY)


@pytest.mark.parametrize("name", ["missing.safetensors", "missing.pth", "missing"])
def test_a_path_where_nothing_is_is_refused(tmp_path, network, name):
    with pytest.raises(CheckpointError, match=name):
        read_dit(tmp_path / name, network.dit, TINY)
