"""Latents are Stable Diffusion's as ComfyUI hands them on: its own VAE nodes read and make the same ones."""

from dataclasses import replace

import comfy.sd
import pytest
import torch

import nodes

pytestmark = pytest.mark.slow

TOLERANCE = 1e-4
"""Two implementations of the same sums in float32."""


@pytest.fixture(scope="module")
def tensors(part_of_pack):
    """Random weights of a model with a full-size autoencoder (83.7 M parameters) and a small UNet, and its config."""
    architecture = part_of_pack("vsr_core.architectures.os_diffvsr")
    full = architecture.PAPER
    config = replace(
        architecture.TINY,
        channels=(32, 64),
        norm_groups=full.norm_groups,
        vae_channels=full.vae_channels,
        vae_layers=full.vae_layers,
    )
    torch.manual_seed(0)
    network = part_of_pack("vsr_core.architectures.os_diffvsr.network").OSDiffVSR(config)
    return config, network.state_dict()


@pytest.fixture(scope="module")
def core_vae(tensors):
    """ComfyUI's VAE with the weights of the model's autoencoder."""
    _, named = tensors
    weights = {name.removeprefix("vae."): value.clone() for name, value in named.items() if name.startswith("vae.")}
    assert sum(value.numel() for value in weights.values()) == 83_653_863
    return comfy.sd.VAE(sd=weights, dtype=torch.float32)


@pytest.fixture(scope="module")
def full_model(tensors, core_vae, part_of_pack):
    """The model itself, made after `core_vae` because loading may change tensors in place."""
    restorer = part_of_pack("vsr_core.architectures.os_diffvsr").build(*tensors, "random weights")
    return part_of_pack("nodes.sockets").VSRModel(
        restorer, part_of_pack("nodes.runtime").manage_parts(restorer.parts.values())
    )


@pytest.fixture(scope="module")
def images(moving):
    return moving(1, 32, 32)


@pytest.fixture
def fused(execute, full_model, images):
    aligned = execute("VSROpticalFlowWarp", images=images)
    return execute("VSRMultiFrameFusion", model=full_model, images=images, aligned=aligned, alignment="latents")


def test_comfyuis_vae_decodes_what_the_upscaler_makes_as_ours_does(execute, full_model, core_vae, images, fused):
    latent = execute("VSROneStepUpscale", model=full_model, images=images, latent=fused)
    ours = execute("VSRVideoVAEDecode", model=full_model, latent=latent, color="none")
    [theirs] = nodes.VAEDecode().decode(core_vae, latent)
    assert ours.shape == theirs.shape == (1, 128, 128, 3)
    assert ours.std() > 0.05
    assert torch.allclose(ours, theirs, atol=TOLERANCE)
    scaled = {**latent, "samples": latent["samples"] * 0.18215}
    assert (nodes.VAEDecode().decode(core_vae, scaled)[0] - ours).abs().max() > 100 * TOLERANCE


def test_comfyuis_vae_encodes_the_enlarged_frame_to_our_latent(core_vae, images, fused, part_of_pack):
    enlarged = part_of_pack("vsr_core.clip").resize_bicubic(images.movedim(-1, 1), 128, 128).movedim(1, -1)
    [theirs] = nodes.VAEEncode().encode(core_vae, enlarged)
    assert fused["samples"].shape == theirs["samples"].shape == (1, 4, 16, 16)
    assert torch.allclose(fused["samples"], theirs["samples"], atol=TOLERANCE)
    assert fused["samples"].std() > 100 * TOLERANCE
