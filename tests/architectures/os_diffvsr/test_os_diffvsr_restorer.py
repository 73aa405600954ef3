"""A network is saved, recognised, loaded and gives the same frames; its latents are Stable Diffusion's."""

from dataclasses import replace

import pytest
import torch
from architectures.os_diffvsr.alignments import moved, smooth
from architectures.os_diffvsr.published import tiny_network
from restorers import random_clip
from tolerances import TOLERANCE

from vsr_core.architectures.os_diffvsr import PAPER, SMALL, TINY
from vsr_core.architectures.os_diffvsr.network import OSDiffVSR
from vsr_core.architectures.os_diffvsr.restorer import OSDiffVSRRestorer, requirements
from vsr_core.checkpoints.header import read_header
from vsr_core.checkpoints.metadata import Metadata, config_from_json, config_to_json
from vsr_core.checkpoints.write import write_model
from vsr_core.contract import FusionSettings
from vsr_core.errors import CheckpointError
from vsr_core.load import cast, identify, load_restorer

PIXELS, LATENTS = (FusionSettings(alignment=name) for name in ("pixels", "latents"))


def tiny(**kind) -> OSDiffVSRRestorer:
    torch.manual_seed(0)
    return OSDiffVSRRestorer(OSDiffVSR(replace(TINY, **kind)).eval().requires_grad_(False))


def fused(restorer, clip, aligned, settings=PIXELS, noise=None) -> torch.Tensor:
    fusion = restorer.fusion
    return fusion.fuse(restorer.encode(fusion.sources(clip, aligned, settings)), aligned, settings, noise)


def frames_of(restorer, clip, aligned, settings=PIXELS) -> torch.Tensor:
    return restorer.decode(restorer.step(fused(restorer, clip, aligned, settings)), clip[aligned.frame])


def saved(folder, network, dtype=torch.float32):
    metadata = Metadata(architecture="os_diffvsr", config=config_to_json(network.config), source="random")
    return write_model(folder / "model.safetensors", network.state_dict(), metadata, dtype=dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_a_saved_network_is_recognised_loaded_and_gives_the_same_frames(tmp_path, dtype):
    network = tiny_network()
    path = saved(tmp_path, network, dtype)
    metadata = identify(read_header(path))
    restorer = load_restorer(path)
    assert metadata.architecture == restorer.architecture == "os_diffvsr"
    assert config_from_json(type(TINY), metadata.config) == restorer.config == TINY
    clip, aligned = random_clip(3), moved(3, 16, 16, x=1.0)
    expected = frames_of(OSDiffVSRRestorer(network), clip, aligned)
    difference = (frames_of(cast(restorer, torch.float32), clip, aligned) - expected).abs()
    assert difference.mean() < TOLERANCE[dtype]


def test_a_loaded_network_asks_for_no_gradient(tmp_path):
    restorer = load_restorer(saved(tmp_path, tiny_network()))
    assert not any(value.requires_grad for part in restorer.parts.values() for value in part.parameters())


def test_a_file_without_the_prompt_is_refused_by_its_name(tmp_path):
    network = tiny_network()
    tensors = {name: value for name, value in network.state_dict().items() if name != "prompt"}
    metadata = Metadata(architecture="os_diffvsr", config=config_to_json(TINY))
    with pytest.raises(CheckpointError, match=r"1 missing \(prompt\)"):
        load_restorer(write_model(tmp_path / "model.safetensors", tensors, metadata))


@pytest.mark.parametrize("config", [TINY, SMALL, replace(TINY, heads=(0, 2), vae_attention=False)])
@pytest.mark.parametrize("settings", [PIXELS, LATENTS])
def test_the_restorer_computes_what_the_network_computes(config, settings):
    torch.manual_seed(0)
    network = OSDiffVSR(config).eval().requires_grad_(False)
    torch.nn.init.normal_(network.vae.decoder.conv_out.weight, std=0.05)
    side = 2 * config.multiple
    clip, aligned = smooth(3, 3, side, side, x=1.0), moved(3, side, side, x=1.0)
    whole = (network(clip, aligned, settings.alignment) + 1) / 2
    assert torch.allclose(frames_of(OSDiffVSRRestorer(network), clip, aligned, settings), whole, atol=1e-4)


def test_latents_are_the_autoencoders_own_without_a_factor():
    network, clip = tiny_network(), random_clip(2)
    enlarged = torch.nn.functional.interpolate(clip, scale_factor=4, mode="bicubic").clamp(0, 1) * 2 - 1
    posterior = network.vae.encode(enlarged).latent_dist
    picture = network.vae.decode(posterior.mean).sample
    restorer = OSDiffVSRRestorer(network)
    mean, deviation = restorer.encode(clip).chunk(2, 1)
    assert torch.allclose(mean, posterior.mean, atol=1e-5)
    assert torch.allclose(deviation, posterior.std, atol=1e-5)
    assert torch.allclose(restorer.decode(mean, clip), (picture + 1) / 2, atol=1e-4)


def test_pixels_are_warped_before_and_latents_after_they_are_encoded():
    restorer, clip, aligned = tiny(), smooth(4, 3, 16, 16, x=1.0), moved(4, 16, 16, x=1.0)
    assert restorer.fusion.sources(clip, aligned[1:3], PIXELS).shape == (6, 3, 16, 16)
    assert restorer.fusion.sources(clip, aligned[1:3], LATENTS) is clip
    by_pixels, by_latents = (fused(restorer, clip, aligned[1:3], settings) for settings in (PIXELS, LATENTS))
    assert by_pixels.shape == by_latents.shape == (2, 4, 8, 8)
    assert not torch.allclose(by_pixels, by_latents, atol=1e-4)


@pytest.mark.parametrize("alignment", ["pixels", "latents"])
def test_without_a_setting_the_models_own_alignment_is_used(alignment):
    restorer, clip, aligned = tiny(alignment=alignment), smooth(3, 3, 16, 16, x=1.0), moved(3, 16, 16, x=1.0)
    expected = fused(restorer, clip, aligned, FusionSettings(alignment=alignment))
    assert torch.equal(fused(restorer, clip, aligned, FusionSettings()), expected)


@pytest.mark.parametrize("settings", [PIXELS, LATENTS])
def test_without_neighbours_the_latent_is_the_frames_own(settings):
    restorer, clip = tiny(), random_clip(1)
    found, own = fused(restorer, clip, moved(1, 16, 16), settings), restorer.encode(clip)[:, :4]
    assert torch.allclose(found, own, atol=TOLERANCE[torch.float32])


@pytest.mark.parametrize("change", [{"mu": 1.0}, {"mu": 0.6, "alpha": 3.0}, {"alpha": 6.0}])
def test_mu_and_alpha_of_the_settings_come_before_the_models_own(change):
    restorer, clip, aligned = tiny(), smooth(3, 3, 16, 16, x=4.0), moved(3, 16, 16, error=0.2)
    own = restorer.encode(clip)[:, :4]
    assert not torch.allclose(fused(restorer, clip, aligned), own, atol=1e-3)  # exp(-2 * 0.2) > 0.4
    assert torch.allclose(fused(restorer, clip, aligned, replace(PIXELS, **change)), own, atol=1e-5)


@pytest.mark.parametrize("settings", [PIXELS, LATENTS])
def test_drawn_latents_differ_from_the_mean_by_the_noise_of_their_frame(settings):
    restorer, clip = tiny(), smooth(2, 3, 16, 16)
    noise = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    deviation = restorer.encode(clip)[:, 4:]
    still = moved(2, 16, 16)  # the frames are the same, and so the three latents
    change = fused(restorer, clip, still, settings, noise) - fused(restorer, clip, still, settings)
    assert torch.allclose(change, deviation * noise, atol=1e-4)


def test_frames_of_another_multiple_than_the_padding_are_fused():
    restorer, clip = tiny(), torch.nn.functional.pad(smooth(3, 3, 13, 14, x=1.0), (0, 2, 0, 3), mode="reflect")
    aligned = moved(3, 13, 14, x=1.0)
    encoded = restorer.encode(clip)
    latent = restorer.fusion.fuse(encoded, aligned, LATENTS, None)
    assert latent.shape == (3, 4, 8, 8)
    assert torch.allclose(latent, restorer.fusion.fuse(encoded, moved(3, 16, 16, x=1.0), LATENTS, None), atol=1e-6)


def test_a_text_takes_the_place_of_the_models_own():
    network, latent = tiny_network(), torch.randn(2, 4, 8, 8)
    prompt = network.prompt.detach().clone()[None]
    restorer = OSDiffVSRRestorer(network)
    own = restorer.step(latent)
    assert torch.allclose(restorer.step(latent, text=prompt), own, atol=1e-5)
    longer = torch.randn(1, 9, TINY.prompt_width, generator=torch.Generator().manual_seed(1))
    assert not torch.allclose(restorer.step(latent, text=longer), own, atol=1e-3)


def test_each_frame_is_stepped_by_itself():
    restorer, latent = tiny(), torch.randn(3, 4, 8, 8)
    one_by_one = torch.cat([restorer.step(frame[None]) for frame in latent])
    assert torch.allclose(restorer.step(latent), one_by_one, atol=1e-4)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_gives_nearly_the_same_latent_and_picture(dtype):
    exact, rounded = tiny(), cast(tiny(), dtype)
    clip, aligned = smooth(3, 3, 32, 32, x=1.0), moved(3, 32, 32, x=1.0)
    latent = fused(exact, clip, aligned)
    assert fused(rounded, clip, aligned).dtype == rounded.step(latent).dtype == torch.float32
    assert (fused(rounded, clip, aligned) - latent).abs().mean() < TOLERANCE[dtype]
    assert (rounded.decode(latent, clip) - exact.decode(latent, clip)).abs().mean() < TOLERANCE[dtype]


@pytest.mark.parametrize("config", [PAPER, SMALL, TINY])
def test_requirements_fit_each_other(config):
    needs = requirements(config)
    assert needs.overlap < needs.window
    assert needs.multiple % needs.latent_stride == 0
    assert (
        needs.min_tile % needs.multiple == needs.max_tile % needs.multiple == needs.tile_overlap % needs.multiple == 0
    )


@pytest.mark.parametrize("stage", ["encode", "step", "decode"])
def test_the_memory_estimate_grows_with_everything(stage):
    restorer = tiny()
    least = restorer.memory_bytes(stage, 2, 16, 16, torch.float16)
    assert 0 < least < restorer.memory_bytes(stage, 3, 16, 16, torch.float16)
    assert least < restorer.memory_bytes(stage, 2, 32, 16, torch.float16)
    assert least < restorer.memory_bytes(stage, 2, 16, 32, torch.float16)
    assert least < restorer.memory_bytes(stage, 2, 16, 16, torch.float32)


def test_every_stage_computes_with_parts_that_there_are():
    restorer = tiny()
    named = {name for names in restorer.stage_parts.values() for name in names}
    assert named == set(restorer.parts)


def test_compiled_parts_take_the_place_of_the_plain_ones():
    restorer, clip, aligned = tiny(), random_clip(3), moved(3, 16, 16)
    called = []

    class Watched(torch.nn.Module):
        def __init__(self, name, part):
            super().__init__()
            self.name, self.part = name, part

        @property
        def prompt(self):
            return self.part.prompt

        def forward(self, *args, **kwargs):
            called.append(self.name)
            return self.part(*args, **kwargs)

    restorer.parts = {name: Watched(name, part) for name, part in restorer.parts.items()}
    frames_of(restorer, clip, aligned)
    assert called == ["encoder", "fusion", "denoiser", "decoder"]
