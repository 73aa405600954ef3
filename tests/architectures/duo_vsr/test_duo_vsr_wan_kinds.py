"""Relatives of Wan2.1-T2V-1.3B and other models are refused by name before their weights are loaded."""

import json
from pathlib import Path

import pytest
import torch
from architectures.duo_vsr.published import OFFICIAL
from diffusers import AutoencoderKLWan, WanTransformer3DModel

from vsr_core.architectures.duo_vsr.config import PAPER
from vsr_core.architectures.duo_vsr.wan_keys import official_dit_name, official_vae_name
from vsr_core.architectures.duo_vsr.wan_kinds import check_dit, check_vae
from vsr_core.errors import CheckpointError

STABLE_DIFFUSION = json.loads((Path(__file__).parents[2] / "data" / "osediff_keys.json").read_text())["base"]
SIZES_14B = {"num_attention_heads": 40, "attention_head_dim": 128, "ffn_dim": 13824, "num_layers": 40}
DITS = {
    "Wan 14B": SIZES_14B,
    "an image-to-video Wan": {**SIZES_14B, "in_channels": 36, "image_dim": 1280, "added_kv_proj_dim": 5120},
    "an image-to-video Wan, which takes 36 channels": {"in_channels": 36},
    "a Wan with control inputs, which takes 48 channels": {"in_channels": 48},
    "another Wan, which takes 20 channels": {"in_channels": 20},
    "Wan 2.2 TI2V 5B": {"num_attention_heads": 24, "in_channels": 48, "out_channels": 48, "ffn_dim": 14336},
}
SIZES_13B = {"num_attention_heads": 12, "attention_head_dim": 128, "ffn_dim": 8960, "num_layers": 30}


def shapes(module: torch.nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in module.state_dict().items()}


def dit(**sizes) -> dict[str, tuple[int, ...]]:
    with torch.device("meta"):
        return shapes(WanTransformer3DModel(**{**SIZES_13B, **sizes}))


def listed(part: str) -> dict[str, tuple[int, ...]]:
    return {name: tuple(shape) for name, shape in OFFICIAL[part].items()}


def wan22_vae() -> dict[str, tuple[int, ...]]:
    with torch.device("meta"):
        return shapes(AutoencoderKLWan(
            base_dim=160, decoder_base_dim=256, z_dim=48, is_residual=True, in_channels=12, out_channels=12,
            latents_mean=[0.0] * 48, latents_std=[1.0] * 48, patch_size=2,
        ))  # fmt: skip


def own_names(found: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    return {official_dit_name(name): shape for name, shape in found.items()}


@pytest.mark.parametrize("channels", [16, 32])
@pytest.mark.parametrize("names", [dict, own_names])
def test_the_dit_that_is_expected_passes(channels, names):
    check_dit(names(dit(in_channels=channels)), PAPER, "wan.pth")


@pytest.mark.parametrize("kind", DITS)
@pytest.mark.parametrize("names", [dict, own_names])
def test_another_wan_is_refused_by_name(kind, names):
    with pytest.raises(CheckpointError, match=f"wan.pth is {kind}.*; expected the DiT of Wan2.1-T2V-1.3B"):
        check_dit(names(dit(**DITS[kind])), PAPER, "wan.pth")


def test_an_image_to_video_model_is_known_by_its_own_names_too():
    extra = {"img_emb.proj.0.weight": (1280,), "blocks.0.cross_attn.k_img.weight": (1536, 1536)}
    with pytest.raises(CheckpointError, match="is an image-to-video Wan; expected"):
        check_dit({**listed("dit"), **extra}, PAPER, "wan.pth")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("vace_patch_embedding.weight", "Wan VACE"),
        ("control_adapter.conv.weight", "a Wan with camera control"),
        ("face_adapter.fuser_blocks.0.k_norm.weight", "Wan Animate"),
        ("casual_audio_encoder.encoder.final_linear.weight", "a Wan driven by speech"),
        ("ref_conv.weight", "a Wan with reference images"),
    ],
)
def test_a_wan_with_more_parts_is_refused_by_what_it_is_for(name, kind):
    with pytest.raises(CheckpointError, match=f"is {kind}; expected"):
        check_dit({**listed("dit"), name: (1,)}, PAPER, "wan.pth")


def test_the_message_says_both_widths():
    with pytest.raises(
        CheckpointError, match="is Wan 14B, which has 5120 channels per token instead of 1536; expected"
    ):
        check_dit(dit(**SIZES_14B), PAPER, "wan.pth")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (STABLE_DIFFUSION["unet"], r"holds no Wan DiT \(conv_in.bias, conv_in.weight, .* and 683 more\)"),
        (OFFICIAL["vae"], "is a Wan VAE: give it as --vae"),
        (["diffusion_model.blocks.0.self_attn.q.lora_A.weight"], "is a LoRA without the model it changes"),
        ([], "holds no Wan DiT"),
    ],
)
def test_anything_else_offered_as_the_dit_is_named(names, message):
    with pytest.raises(CheckpointError, match=f"file {message}.*; expected the DiT of Wan2.1-T2V-1.3B"):
        check_dit(dict.fromkeys(names, ()), PAPER, "file")


def test_the_vae_that_is_expected_passes_under_both_names():
    with torch.device("meta"):
        found = shapes(AutoencoderKLWan())
    check_vae(found, PAPER, "vae.pth")
    check_vae({official_vae_name(name, PAPER): shape for name, shape in found.items()}, PAPER, "vae.pth")


def test_wan_2_2s_vae_is_refused_by_name():
    message = "is Wan 2.2's VAE of 48 latent channels; expected Wan2.1's VAE .*of 16 latent channels"
    with pytest.raises(CheckpointError, match=message):
        check_vae(wan22_vae(), PAPER, "vae.pth")
    own = {
        "decoder.upsamples.0.upsamples.0.residual.2.weight": (),
        "decoder.head.0.gamma": (),
        "conv2.weight": (48, 48),
    }
    with pytest.raises(CheckpointError, match=message):
        check_vae(own, PAPER, "vae.pth")


def test_a_wan_vae_of_other_channels_is_refused():
    with torch.device("meta"):
        found = shapes(AutoencoderKLWan(z_dim=8, latents_mean=[0.0] * 8, latents_std=[1.0] * 8))
    with pytest.raises(CheckpointError, match="has 8 latent channels, not 16; expected Wan2.1's VAE"):
        check_vae(found, PAPER, "vae.pth")


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (STABLE_DIFFUSION["vae"], "is a VAE for single pictures, as Stable Diffusion's, of 4 latent channels"),
        (OFFICIAL["dit"], "is a Wan DiT: give it as --wan"),
        ({"decoder.1.weight": (256, 16, 3, 3), "encoder.0.weight": ()}, "is a tiny autoencoder"),
        ({"decoder.conv_in.conv.weight": (512, 16, 3, 3, 3)}, "holds no Wan VAE .decoder.conv_in.conv.weight."),
    ],
)
def test_anything_else_offered_as_the_vae_is_named(found, message):
    with pytest.raises(CheckpointError, match=f"file {message}.*; expected Wan2.1's VAE"):
        check_vae({name: tuple(shape) for name, shape in found.items()}, PAPER, "file")
