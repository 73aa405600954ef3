"""A LoRA of Wan2.1 is merged whole whatever its names are, or refused by the name of what does not fit."""

from pathlib import Path

import pytest
import torch
from architectures.duo_vsr.published import OFFICIAL, lora, tiny_network, with_lora
from safetensors.torch import save_file
from torch import Tensor

from vsr_core.architectures.duo_vsr.config import PAPER, TINY
from vsr_core.architectures.duo_vsr.network import DuoVSR
from vsr_core.architectures.duo_vsr.wan_keys import official_dit_name
from vsr_core.architectures.duo_vsr.wan_lora import module_names, read_lora
from vsr_core.checkpoints.lora import merge
from vsr_core.errors import CheckpointError

ALPHA = 3.0


@pytest.fixture(scope="module")
def network() -> DuoVSR:
    return tiny_network()


def merged(network: DuoVSR, path: Path) -> dict[str, Tensor]:
    base = network.dit.state_dict()
    return merge(base, read_lora(path, base, TINY), alpha=None)


def official(name: str) -> str:
    module, _, end = name.partition(".lora_")
    return official_dit_name(f"{module}.weight").removesuffix("weight") + "lora_" + end


def kohya(name: str) -> str:
    module, _, end = official(name).partition(".lora_")
    return f"{module.replace('.', '_')}.lora_" + end.replace("A.", "down.").replace("B.", "up.")


STYLES = {
    "peft": lambda name: f"base_model.model.{name}",
    "peft, with an adapter": lambda name: name.replace(".weight", ".default.weight"),
    "diffusers": lambda name: f"transformer.{name}",
    "Wan's own": official,
    "ComfyUI": lambda name: "diffusion_model." + official(name),
    "ComfyUI, up and down": lambda n: "diffusion_model." + official(n).replace("A.", "down.").replace("B.", "up."),
    "kohya": lambda name: "lora_unet_" + kohya(name),
    "Wan-Fun": lambda name: "lora_unet__" + kohya(name),
}


@pytest.mark.parametrize("style", STYLES)
def test_a_lora_is_merged_under_all_of_its_names(tmp_path, network, style):
    pairs = lora(network)
    save_file({STYLES[style](name): value for name, value in pairs.items()}, tmp_path / "lora.safetensors")
    found, expected = merged(network, tmp_path / "lora.safetensors"), with_lora(network.dit.state_dict(), pairs)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value)


@pytest.mark.parametrize("style", ["diffusers", "ComfyUI, up and down", "kohya"])
@pytest.mark.parametrize("rank", [2, 4])
def test_an_alpha_in_the_file_scales_what_it_stands_beside(tmp_path, network, style, rank):
    pairs = lora(network, rank=rank)
    tensors = {STYLES[style](name): value for name, value in pairs.items()}
    alphas = {name.partition(".lora_")[0] + ".alpha": torch.tensor(ALPHA) for name in tensors}
    save_file({**tensors, **alphas}, tmp_path / "lora.safetensors")
    found = merged(network, tmp_path / "lora.safetensors")
    for name, value in with_lora(network.dit.state_dict(), pairs, ALPHA / rank).items():
        torch.testing.assert_close(found[name], value)


def test_whole_differences_of_weights_biases_and_norms_are_added(tmp_path, network):
    base = network.dit.state_dict()
    changes = {
        "diffusion_model.blocks.0.self_attn.q.diff_b": "blocks.0.attn1.to_q.bias",
        "diffusion_model.blocks.1.norm3.diff": "blocks.1.norm2.weight",
        "diffusion_model.blocks.1.norm3.diff_b": "blocks.1.norm2.bias",
        "diffusion_model.head.head.diff": "proj_out.weight",
        "diffusion_model.time_projection.1.diff_b": "condition_embedder.time_proj.bias",
    }
    tensors = {name: torch.randn_like(base[ours]) for name, ours in changes.items()}
    save_file(tensors, tmp_path / "lora.safetensors")
    found = merged(network, tmp_path / "lora.safetensors")
    for name, ours in changes.items():
        torch.testing.assert_close(found[ours], base[ours] + tensors[name])
    assert all(torch.equal(found[name], value) for name, value in base.items() if name not in changes.values())


@pytest.mark.parametrize("end", ["lora_A.weight", "lora_down.weight", "diff"])
def test_what_was_trained_with_one_input_leaves_the_second_alone(tmp_path, network, end):
    base, channels = network.dit.state_dict(), TINY.latent_channels
    patches = base["patch_embedding.weight"]
    change = torch.randn(len(patches) if end == "diff" else 2, channels, 1, 2, 2)
    tensors = {f"diffusion_model.patch_embedding.{end}": change}
    if end != "diff":
        up = torch.randn(len(patches), 2, 1, 1, 1)
        tensors["diffusion_model.patch_embedding." + end.replace("A", "B").replace("down", "up")] = up
        change = (up.flatten(1) @ change.flatten(1)).view(len(patches), channels, 1, 2, 2)
    save_file(tensors, tmp_path / "lora.safetensors")
    found = merged(network, tmp_path / "lora.safetensors")["patch_embedding.weight"]
    torch.testing.assert_close(found[:, :channels], patches[:, :channels] + change)
    assert torch.equal(found[:, channels:], patches[:, channels:])


def test_a_lora_that_trained_the_second_input_changes_it(tmp_path, network):
    patches = network.dit.state_dict()["patch_embedding.weight"]
    save_file({"transformer.patch_embedding.weight": patches + 1}, tmp_path / "lora.safetensors")
    torch.testing.assert_close(merged(network, tmp_path / "lora.safetensors")["patch_embedding.weight"], patches + 1)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("diffusion_model.blocks.9.self_attn.q.lora_A.weight",) * 2,
        ("diffusion_model.blocks.0.cross_attn.k_img.lora_A.weight",) * 2,
        ("diffusion_model.blocks.0.self_attn.q.dora_scale",) * 2,
        ("diffusion_model.blocks.0.self_attn.norm_q.alpha", "blocks.0.attn1.norm_q.alpha"),
        ("lora_te1_encoder.lora_down.weight",) * 2,
        ("note",) * 2,
    ],
)
def test_a_tensor_without_a_place_is_named(tmp_path, network, name, shown):
    save_file({**lora(network), name: torch.zeros(2, 2)}, tmp_path / "lora.safetensors")
    with pytest.raises(CheckpointError, match=rf"1 of the LoRA's \d+ tensors have no place .*: {shown}\."):
        merged(network, tmp_path / "lora.safetensors")


@pytest.mark.parametrize("module", ["self_attn.q", "cross_attn.k"])
@pytest.mark.parametrize(("width", "kind"), [(5120, "Wan 14B"), (3072, "Wan 2.2 TI2V 5B"), (7, "another model")])
def test_a_lora_of_another_wan_is_refused_by_its_width(tmp_path, network, module, width, kind):
    tensors = {f"diffusion_model.blocks.0.{module}.lora_down.weight": torch.zeros(2, width)}
    save_file(tensors, tmp_path / "lora.safetensors")
    message = f"lora.safetensors is a LoRA for {kind}: blocks.0.attn..to_..lora_down.weight reads {width} channels"
    with pytest.raises(CheckpointError, match=message):
        merged(network, tmp_path / "lora.safetensors")


def test_every_module_of_the_published_dit_is_known_by_all_of_its_names():
    with torch.device("meta"):
        ours = DuoVSR(PAPER).dit.state_dict()
    table = module_names(ours)
    for name in OFFICIAL["dit"]:
        module, _, kind = name.rpartition(".")
        if kind in ("weight", "bias"):
            found = table[module]
            assert official_dit_name(f"{found}.{kind}") == name
            assert table[found] == table[module.replace(".", "_")] == table[found.replace(".", "_")] == found
