"""Wan2.1, a LoRA and a prompt become one model file of ours."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from architectures.duo_vsr.published import (
    dit_tensors,
    lora,
    tiny_network,
    vae_tensors,
    with_lora,
    write_folder,
    write_prompt,
    write_published,
)
from architectures.duo_vsr.text_encoder import write_text_encoder
from restorers import random_clip
from safetensors.torch import load_file, save_file
from torch import Tensor

from vsr_core.architectures.duo_vsr.config import PAPER, TINY
from vsr_core.architectures.duo_vsr.convert import convert
from vsr_core.architectures.duo_vsr.network import DuoVSR
from vsr_core.architectures.duo_vsr.prompt import DEFAULT, encode_prompt
from vsr_core.architectures.duo_vsr.restorer import DuoVSRRestorer
from vsr_core.checkpoints.header import read_header
from vsr_core.errors import CheckpointError, SettingError
from vsr_core.load import identify, load_restorer


@pytest.fixture
def network() -> DuoVSR:
    return tiny_network()


@pytest.fixture
def files(tmp_path, network) -> dict[str, Path]:
    return write_published(tmp_path, network)


@pytest.fixture
def out(tmp_path) -> Path:
    return tmp_path / "out.safetensors"


def expected(network: DuoVSR, prompt: Tensor) -> dict[str, Tensor]:
    """Return what the tensors of the model file should be."""
    dit = dict(network.dit.state_dict())
    dit["patch_embedding.weight"] = dit["patch_embedding.weight"].clone()
    dit["patch_embedding.weight"][:, TINY.latent_channels :] = 0
    dit = with_lora(dit, lora(network))
    vae = network.vae.state_dict()
    return {**{f"dit.{n}": v for n, v in dit.items()}, **{f"vae.{n}": v for n, v in vae.items()}, "prompt": prompt}


def test_every_tensor_of_the_model_file_is_wans_plus_the_lora(files, out, network):
    found = load_file(convert(**files, out=out, config=TINY))
    wanted = expected(network, load_file(files["prompt_embeds"])["prompt"])
    assert found.keys() == wanted.keys() == network.state_dict().keys()
    for name, value in wanted.items():
        torch.testing.assert_close(found[name], value)


def test_without_a_lora_the_weights_are_wans_own(files, out, network):
    del files["lora"]
    save_file(dit_tensors(network), files["wan"])
    found = load_file(convert(**files, out=out, config=TINY))
    assert all(torch.equal(found[f"dit.{name}"], value) for name, value in network.dit.state_dict().items())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_weights_are_merged_before_they_are_rounded(files, out, tmp_path, dtype):
    rounded = load_file(convert(**files, out=out, dtype=dtype, config=TINY))
    exact = load_file(convert(**files, out=tmp_path / "exact.safetensors", config=TINY))
    assert rounded.keys() == exact.keys()
    assert all(torch.equal(rounded[name], value.to(dtype)) for name, value in exact.items())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float8_e4m3fn])
def test_a_base_of_few_bits_is_merged_in_float32(files, out, network, dtype):
    save_file({name: value.to(dtype) for name, value in dit_tensors(network, channels=4).items()}, files["wan"])
    network.dit.load_state_dict({name: value.to(dtype).float() for name, value in network.dit.state_dict().items()})
    found = load_file(convert(**files, out=out, config=TINY))
    for name, value in expected(network, load_file(files["prompt_embeds"])["prompt"]).items():
        torch.testing.assert_close(found[name], value)


def test_a_converted_file_restores_a_clip_as_the_network_does(files, out, network):
    restorer = load_restorer(convert(**files, out=out, config=TINY))
    network.load_state_dict(expected(network, load_file(files["prompt_embeds"])["prompt"]))
    clip, noise = random_clip(5, 8, 12), torch.randn(2, 4, 4, 6)
    found, wanted = (
        model.decode(model.step(model.encode(clip), noise=noise), clip) for model in (restorer, DuoVSRRestorer(network))
    )
    assert restorer.config == TINY
    assert found.std() > 0.01
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)


def test_a_pipeline_folder_becomes_the_same_model_as_single_files(files, out, tmp_path, network):
    folder = write_folder(tmp_path / "wan", "transformer", dit_tensors(network, "diffusers", channels=4), shards=2)
    write_folder(folder, "vae", vae_tensors(network, "diffusers"))
    found = load_file(convert(**{**files, "wan": folder, "vae": folder}, out=out, config=TINY))
    wanted = load_file(convert(**files, out=tmp_path / "single.safetensors", config=TINY))
    assert found.keys() == wanted.keys()
    assert all(torch.equal(found[name], value) for name, value in wanted.items())


def test_a_model_file_says_what_it_is_made_of_but_not_where_that_was(files, out, tmp_path):
    metadata = identify(read_header(convert(**files, out=out, config=TINY)))
    for words in ("wan.safetensors", "Wan2.1_VAE.pth", "vsr_lora.safetensors", "prompt.safetensors", "a stand-in"):
        assert words in metadata.source
    assert str(tmp_path) not in metadata.source
    assert metadata.licence == "Wan2.1: Apache-2.0; vsr_lora.safetensors: its author's"


def test_a_model_that_does_not_look_at_the_video_yet_says_so(files, out, tmp_path, network):
    def source(name: str, **changed) -> str:
        return identify(read_header(convert(**{**files, **changed}, out=tmp_path / name, config=TINY))).source

    assert "does not look at the video yet" in source("1.safetensors", lora=None)
    assert "does not look at the video yet" in source("2.safetensors")
    trained = {**lora(network), "patch_embedding.weight": torch.ones_like(network.dit.patch_embedding.weight)}
    save_file(trained, files["lora"])
    assert "does not look" not in source("3.safetensors")
    save_file(dit_tensors(network), files["wan"])
    assert "does not look" not in source("4.safetensors", lora=None)


def test_a_base_of_another_size_is_refused_and_nothing_is_written(files, out):
    with pytest.raises(CheckpointError, match="The DiT of wan.safetensors does not fit|takes 4 channels instead of"):
        convert(**{**files, "prompt_embeds": "none"}, out=out, config=PAPER)
    assert not out.exists()


def test_a_lora_tensor_that_fits_nothing_is_refused_and_nothing_is_written(files, out, network):
    save_file({**lora(network), "blocks.7.attn1.to_q.lora_A.weight": torch.zeros(2, 24)}, files["lora"])
    with pytest.raises(CheckpointError, match="no place in the base model: blocks.7.attn1.to_q.lora_A.weight"):
        convert(**files, out=out, config=TINY)
    assert not out.exists()


def test_the_two_files_the_wrong_way_round_are_refused(files, out):
    with pytest.raises(CheckpointError, match="Wan2.1_VAE.pth is a Wan VAE: give it as --vae"):
        convert(**{**files, "wan": files["vae"]}, out=out, config=TINY)
    with pytest.raises(CheckpointError, match="wan.safetensors is a Wan DiT: give it as --wan"):
        convert(**{**files, "vae": files["wan"]}, out=out, config=TINY)


def test_a_shorter_prompt_is_stored_filled_up_with_zeros(files, out, tmp_path):
    files["prompt_embeds"] = write_prompt(tmp_path / "short.safetensors", TINY, tokens=1)
    prompt = load_file(convert(**files, out=out, config=TINY))["prompt"]
    assert prompt.shape == (TINY.prompt_tokens, TINY.prompt_width)
    assert prompt[0].any()
    assert not prompt[1:].any()


def test_without_a_prompt_the_ways_to_give_one_are_listed(files, out):
    del files["prompt_embeds"]
    with pytest.raises(CheckpointError, match="no prompt.*--prompt-embeds FILE.*--text-encoder DIR.*embeds none"):
        convert(**files, out=out, config=TINY)


def test_the_word_none_stores_no_text_and_says_so(files, out):
    path = convert(**{**files, "prompt_embeds": "none"}, out=out, config=TINY)
    assert not load_file(path)["prompt"].any()
    assert "no prompt (zeros)" in identify(read_header(path)).source


@pytest.mark.parametrize("extra", [{"prompt": "a video"}, {"text_encoder": "folder"}])
def test_two_prompts_contradict_each_other(files, out, extra):
    with pytest.raises(SettingError, match="--prompt-embeds is the prompt already"):
        convert(**files, **extra, out=out, config=TINY)


def test_a_folder_with_a_text_encoder_needs_no_prompt(files, out, tmp_path, network):
    pytest.importorskip("transformers")
    config = replace(TINY, prompt_tokens=16)
    folder = write_folder(tmp_path / "wan", "transformer", dit_tensors(network))
    write_text_encoder(folder, config)
    del files["prompt_embeds"]
    path = convert(**{**files, "wan": folder}, out=out, config=config)
    assert torch.equal(load_file(path)["prompt"], encode_prompt(folder, DEFAULT, config))
    assert f"prompt {DEFAULT!r}" in identify(read_header(path)).source


def test_the_prompt_can_be_chosen_and_its_encoder_be_elsewhere(files, out, tmp_path):
    pytest.importorskip("transformers")
    folder = write_text_encoder(tmp_path / "text", TINY)
    del files["prompt_embeds"]
    path = convert(**files, text_encoder=folder, prompt="sharp", out=out, config=TINY)
    assert torch.equal(load_file(path)["prompt"], encode_prompt(folder, "sharp", TINY))
