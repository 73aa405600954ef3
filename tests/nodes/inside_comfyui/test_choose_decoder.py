"""Video VAE Decode with the tiny decoders of models/vae_approx gives what ComfyUI's own VAE nodes give with them."""

import comfy.sd
import folder_paths
import pytest
import torch
from comfy.latent_formats import Wan21
from safetensors.torch import save_file

import nodes

TAEHV = pytest.importorskip("comfy.taesd.taehv", reason="ComfyUI has tiny video decoders since 0.3.76").TAEHV

TOLERANCE = 1e-4
"""Two implementations of the same sums in float32."""
FILES = ["lighttaew2_1.safetensors", "taew2_1.safetensors"]


@pytest.fixture(scope="module")
def tensors() -> dict[str, torch.Tensor]:
    """All tensors of such a file, as ComfyUI names them, with random numbers that keep signals alive."""
    random = torch.Generator().manual_seed(0)
    shapes = {name: value.shape for name, value in TAEHV(latent_channels=16).state_dict().items()}
    found = {
        name: torch.randn(shape, generator=random) / max(1, shape[1:].numel()) ** 0.5 for name, shape in shapes.items()
    }
    return {**found, "decoder.22.bias": torch.full((3,), 0.5)}


@pytest.fixture
def files(tensors, tmp_path, monkeypatch):
    """Both kinds of decoders in models/vae_approx, beside one of another family."""
    monkeypatch.setitem(folder_paths.folder_names_and_paths, "vae_approx", ([str(tmp_path)], {".safetensors", ".pth"}))
    for name in (*FILES, "taehv.safetensors"):
        save_file(tensors, tmp_path / name)
    return tmp_path


@pytest.fixture
def latent(execute, video_model, moving):
    return execute("VSROneStepUpscale", model=video_model, images=moving(9, 16, 20))


@pytest.fixture
def decode(execute, video_model, latent):
    return lambda name: execute("VSRVideoVAEDecode", model=video_model, latent=latent, color="none", decoder=name)


@pytest.fixture
def core_decode(tensors):
    """Decode with ComfyUI's VAE Decode, which takes a file of float32 for lighttaew2_1."""
    vae = comfy.sd.VAE(sd=dict(tensors), dtype=torch.float32)
    return lambda samples: nodes.VAEDecode().decode(vae, {"samples": samples})[0]


def test_only_decoders_of_wans_latents_are_offered_after_the_models_own(files, node_classes):
    inputs = {given.id: given for given in node_classes["VSRVideoVAEDecode"].define_schema().inputs}
    assert inputs["decoder"].options == ["full", *FILES]
    assert inputs["decoder"].default == "full"


def test_the_light_one_decodes_latents_as_comfyui_does(files, decode, core_decode, latent):
    found, expected = decode("lighttaew2_1.safetensors"), core_decode(latent["samples"])
    assert found.shape == expected.shape == (9, 64, 80, 3)
    assert found.std() > 100 * TOLERANCE
    assert torch.allclose(found, expected.clamp(0, 1), atol=TOLERANCE)


def test_the_first_one_decodes_them_normalised_as_the_diffusion_model_has_them(files, decode, core_decode, latent):
    expected = core_decode(Wan21().process_in(latent["samples"]))
    assert torch.allclose(decode("taew2_1.safetensors"), expected.clamp(0, 1), atol=TOLERANCE)
    assert not torch.allclose(decode("lighttaew2_1.safetensors"), expected.clamp(0, 1), atol=100 * TOLERANCE)


def test_the_models_own_decoder_is_untouched(files, decode):
    before = decode("full")
    decode("taew2_1.safetensors")
    assert torch.equal(decode("full"), before)


def test_another_file_under_that_name_is_refused(files, decode, part_of_pack):
    save_file({"1.weight": torch.zeros(64, 16, 3, 3)}, files / "taew2_1_new.safetensors")
    with pytest.raises(part_of_pack("vsr_core.errors").CheckpointError, match="tiny autoencoder of single pictures"):
        decode("taew2_1_new.safetensors")


def test_a_model_with_other_latents_is_refused(files, execute, model, moving, setting_error):
    latent = execute("VSROneStepUpscale", model=model, images=moving(2, 16, 16))
    with pytest.raises(setting_error, match="taew2_1.safetensors cannot decode this model's latents"):
        execute("VSRVideoVAEDecode", model=model, latent=latent, decoder="taew2_1.safetensors")


def test_the_cost_in_quality_is_stated_where_it_is_chosen(node_classes):
    inputs = {given.id: given for given in node_classes["VSRVideoVAEDecode"].define_schema().inputs}
    assert "softer" in inputs["decoder"].tooltip
