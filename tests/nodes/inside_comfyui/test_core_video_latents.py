"""Latents are Wan2.1's as ComfyUI hands them on, not normalised: its own VAE nodes read and make the same ones."""

from dataclasses import replace
from importlib.util import find_spec

import comfy.sd
import pytest
import torch

import nodes

TOLERANCE = 1e-4
"""Two implementations of the same sums in float32."""
FULL_WIDTH = 96
any_width = pytest.mark.skipif(
    find_spec("comfy.taesd.taehv") is None, reason="ComfyUI takes Wan2.1's autoencoder at any width since 0.3.76"
)


@pytest.fixture(
    scope="module", params=[pytest.param(4, marks=any_width), pytest.param(FULL_WIDTH, marks=pytest.mark.slow)]
)
def tensors(request, execute, part_of_pack):
    """Random weights of a model with Wan2.1's autoencoder at this width and a small DiT, and its config."""
    small = execute("VSRLoadModel", model_name="tiny_video.safetensors", dtype="auto").restorer.config
    config = replace(small, vae_width=request.param)
    torch.manual_seed(0)
    network = part_of_pack("vsr_core.architectures.duo_vsr.network").DuoVSR(config)
    return config, network.state_dict()


@pytest.fixture(scope="module")
def core_vae(tensors, part_of_pack):
    """ComfyUI's VAE with the weights of the model's autoencoder, under Wan's own names, which it knows it by."""
    config, named = tensors
    official_name = part_of_pack("vsr_core.architectures.duo_vsr.wan_keys").official_vae_name
    weights = {
        official_name(name.removeprefix("vae."), config): value.clone()
        for name, value in named.items()
        if name.startswith("vae.")
    }
    if config.vae_width == FULL_WIDTH:
        assert sum(value.numel() for value in weights.values()) == 126_892_531
    vae = comfy.sd.VAE(sd=weights, dtype=torch.float32)
    loaded = vae.first_stage_model.state_dict()
    assert loaded.keys() == weights.keys()
    return vae


@pytest.fixture(scope="module")
def model_of_core(tensors, core_vae, part_of_pack):
    """The model itself, made after `core_vae` because loading may change tensors in place."""
    restorer = part_of_pack("vsr_core.architectures.duo_vsr").build(*tensors, "random weights")
    return part_of_pack("nodes.sockets").VSRModel(
        restorer, part_of_pack("nodes.runtime").manage_parts(restorer.parts.values())
    )


@pytest.fixture
def upscale(execute, model_of_core):
    return lambda images: execute("VSROneStepUpscale", model=model_of_core, images=images)


@pytest.fixture
def decode(execute, model_of_core):
    return lambda latent: execute("VSRVideoVAEDecode", model=model_of_core, latent=latent, color="none")


@pytest.mark.parametrize("count", [1, 9])
def test_comfyuis_vae_decodes_what_the_upscaler_makes_as_ours_does(upscale, decode, core_vae, moving, count):
    latent = upscale(moving(count, 16, 20))
    ours = decode(latent)
    [theirs] = nodes.VAEDecode().decode(core_vae, latent)
    assert ours.shape == theirs.shape == (count, 64, 80, 3)
    assert ours.std() > 100 * TOLERANCE
    assert torch.allclose(ours, theirs, atol=TOLERANCE)


def test_comfyuis_vae_takes_latents_that_are_not_normalised(upscale, decode, core_vae, moving):
    from comfy.latent_formats import Wan21

    latent = upscale(moving(1, 16, 20))
    normalised = {**latent, "samples": Wan21().process_in(latent["samples"])}
    assert (nodes.VAEDecode().decode(core_vae, normalised)[0] - decode(latent)).abs().max() > 100 * TOLERANCE


def test_comfyuis_vae_also_shows_what_frames_and_pixels_are_filled_up_with(upscale, decode, core_vae, moving):
    latent = upscale(moving(3, 18, 21))
    ours = decode(latent)
    [theirs] = nodes.VAEDecode().decode(core_vae, latent)
    assert (ours.shape, theirs.shape) == ((3, 72, 84, 3), (5, 80, 96, 3))
    assert torch.allclose(ours, theirs[:3, :72, :84], atol=TOLERANCE)


@pytest.mark.parametrize("count", [1, 9])
def test_comfyuis_vae_encodes_the_enlarged_frames_to_our_latent(core_vae, model_of_core, moving, part_of_pack, count):
    clip = moving(count, 16, 20).movedim(-1, 1)
    with torch.no_grad():
        ours = model_of_core.restorer.encode(clip)
    enlarged = part_of_pack("vsr_core.clip").resize_bicubic(clip, 64, 80).movedim(1, -1)
    theirs = nodes.VAEEncode().encode(core_vae, enlarged)[0]["samples"]
    assert theirs.shape == (1, 16, (count + 3) // 4, 8, 10)
    assert torch.allclose(ours.movedim(0, 1)[None], theirs, atol=TOLERANCE)
    assert theirs.std() > 100 * TOLERANCE
