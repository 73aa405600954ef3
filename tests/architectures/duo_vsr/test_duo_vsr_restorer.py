"""A network is saved, recognised, loaded and gives the same frames; its latents are Wan2.1's."""

from dataclasses import replace

import pytest
import torch
from architectures.duo_vsr.published import tiny_network
from architectures.duo_vsr.tiny_decoders import taew
from comfyui.tiny_model import TINY_VIDEO
from restorers import random_clip
from tolerances import TOLERANCE

from vsr_core.architectures.duo_vsr import PAPER, SMALL, TINY, causal
from vsr_core.architectures.duo_vsr.network import enlarged
from vsr_core.architectures.duo_vsr.restorer import DuoVSRRestorer, requirements
from vsr_core.checkpoints.header import read_header
from vsr_core.checkpoints.metadata import Metadata, config_from_json, config_to_json
from vsr_core.checkpoints.write import write_model
from vsr_core.errors import CheckpointError
from vsr_core.load import cast, identify, load_restorer


def tiny(**kind) -> DuoVSRRestorer:
    return DuoVSRRestorer(tiny_network(replace(TINY, **kind)))


def random(*size: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(size, generator=torch.Generator().manual_seed(seed))


def frames_of(restorer, clip, seed: int = 0) -> torch.Tensor:
    latent = restorer.encode(clip)
    return restorer.decode(restorer.step(latent, noise=random(*latent.shape, seed=seed)), clip)


def saved(folder, network, dtype=torch.float32):
    metadata = Metadata(architecture="duo_vsr", config=config_to_json(network.config), source="random")
    return write_model(folder / "model.safetensors", network.state_dict(), metadata, dtype=dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_a_saved_network_is_recognised_loaded_and_gives_the_same_frames(tmp_path, dtype):
    network = tiny_network().to(dtype).float()
    path = saved(tmp_path, network, dtype)
    metadata = identify(read_header(path))
    restorer = load_restorer(path)
    assert metadata.architecture == restorer.architecture == "duo_vsr"
    assert config_from_json(type(TINY), metadata.config) == restorer.config == TINY
    clip = random_clip(5)
    expected = frames_of(DuoVSRRestorer(network), clip)
    found = frames_of(cast(restorer, torch.float32), clip)
    assert torch.allclose(found, expected, atol=TOLERANCE[torch.float32])


def test_a_loaded_network_asks_for_no_gradient(tmp_path):
    restorer = load_restorer(saved(tmp_path, tiny_network()))
    assert not any(value.requires_grad for part in restorer.parts.values() for value in part.parameters())


def test_nothing_of_a_loaded_network_is_left_without_numbers(tmp_path):
    restorer = load_restorer(saved(tmp_path, tiny_network()))
    tensors = [value for part in restorer.parts.values() for value in (*part.parameters(), *part.buffers())]
    assert not any(value.is_meta for value in tensors)


def test_a_file_without_the_prompt_is_refused_by_its_name(tmp_path):
    network = tiny_network()
    tensors = {name: value for name, value in network.state_dict().items() if name != "prompt"}
    metadata = Metadata(architecture="duo_vsr", config=config_to_json(TINY))
    with pytest.raises(CheckpointError, match=r"1 missing \(prompt\)"):
        load_restorer(write_model(tmp_path / "model.safetensors", tensors, metadata))


@pytest.mark.parametrize("config", [TINY, SMALL, replace(TINY, bicubic_skip=True)])
@pytest.mark.parametrize("frames", [1, 5, 9])
def test_the_restorer_computes_what_the_network_computes(config, frames):
    network = tiny_network(config)
    torch.nn.init.normal_(network.vae.decoder.conv_out.weight, std=0.05)
    side = 2 * config.multiple
    clip = random_clip(frames, side, side)
    noise = random((frames + 3) // 4, config.latent_channels, side // 2, side // 2)
    whole = (network(clip, noise) + 1) / 2
    restorer = DuoVSRRestorer(network)
    found = restorer.decode(restorer.step(restorer.encode(clip), noise=noise), clip)
    assert found.shape == (frames, 3, 4 * side, 4 * side)
    assert torch.allclose(found, whole, atol=1e-4)


def test_latents_are_the_autoencoders_own_without_normalisation():
    from diffusers import AutoencoderKLWan

    network, clip = tiny_network(), random_clip(5)
    reference = AutoencoderKLWan(
        base_dim=TINY.vae_width,
        z_dim=TINY.latent_channels,
        dim_mult=list(TINY.vae_factors),
        num_res_blocks=TINY.vae_layers,
        latents_mean=list(TINY.latent_mean),
        latents_std=list(TINY.latent_std),
    ).eval()
    reference.load_state_dict(network.vae.state_dict(), strict=True)
    with torch.no_grad():
        mean = reference.encode(enlarged(clip).transpose(0, 1)[None]).latent_dist.mean
        pictures = reference.decode(mean).sample
    restorer = DuoVSRRestorer(network)
    assert torch.allclose(restorer.encode(clip), mean[0].transpose(0, 1), atol=1e-5)
    found = restorer.decode(mean[0].transpose(0, 1), clip).clamp(0, 1)
    assert torch.allclose(found, (pictures[0].transpose(0, 1) + 1) / 2, atol=1e-4)


def test_a_shot_in_pieces_gives_the_same_latents_and_frames_as_in_one():
    restorer, clip = tiny(bicubic_skip=True), random_clip(13)
    latent, carry = restorer.encode(clip), restorer.new_carry("encode")
    pieces = [restorer.encode(part, carry) for part in clip.split([5, 4, 4])]
    assert [len(piece) for piece in pieces] == [2, 1, 1]
    assert torch.allclose(torch.cat(pieces), latent, atol=1e-5)
    frames, carry = restorer.decode(latent, clip), restorer.new_carry("decode")
    parts = zip(latent.split([1, 2, 1]), clip.split([1, 8, 4]))
    assert torch.allclose(torch.cat([restorer.decode(*part, carry) for part in parts]), frames, atol=1e-5)


def test_only_the_autoencoder_looks_at_earlier_pieces():
    restorer = tiny()
    assert restorer.new_carry("step") is None
    assert restorer.new_carry("encode") is not restorer.new_carry("encode")


def test_the_step_starts_from_the_noise_and_says_so_without():
    restorer, latent = tiny(), random(2, 4, 8, 8)
    first, second = (restorer.step(latent, noise=random(2, 4, 8, 8, seed=seed)) for seed in (1, 2))
    assert not torch.allclose(first, second, atol=0.01)
    assert torch.equal(first, restorer.step(latent, noise=random(2, 4, 8, 8, seed=1)))
    with pytest.raises(ValueError, match="starts from noise"):
        restorer.step(latent)


def test_latents_of_a_window_are_stepped_together():
    restorer, latent, noise = tiny(), random(3, 4, 8, 8), random(3, 4, 8, 8, seed=1)
    together = restorer.step(latent, noise=noise)
    one_by_one = torch.cat([restorer.step(z[None], noise=eps[None]) for z, eps in zip(latent, noise)])
    assert not torch.allclose(together, one_by_one, atol=1e-3)


def test_a_text_takes_the_place_of_the_models_own():
    network, latent, noise = tiny_network(), random(2, 4, 8, 8), random(2, 4, 8, 8, seed=1)
    prompt = network.prompt.detach().clone()[None]
    restorer = DuoVSRRestorer(network)
    own = restorer.step(latent, noise=noise)
    assert torch.equal(restorer.step(latent, noise=noise, text=prompt.double()), own)
    other = random(1, 9, TINY.prompt_width)
    assert not torch.allclose(restorer.step(latent, noise=noise, text=other), own, atol=1e-3)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_gives_nearly_the_same_latent_and_picture(dtype):
    exact, rounded = tiny(), cast(tiny(), dtype)
    clip, noise = random_clip(5, 32, 32), random(2, 4, 16, 16)
    latent = exact.encode(clip)
    stepped, close = exact.step(latent, noise=noise), rounded.step(latent, noise=noise)
    assert rounded.encode(clip).dtype == close.dtype == torch.float32
    assert (rounded.encode(clip) - latent).abs().max() < TOLERANCE[dtype] * latent.abs().max()
    assert (close - stepped).abs().max() < TOLERANCE[dtype] * stepped.abs().max()
    change = rounded.decode(latent, clip) - exact.decode(latent, clip)
    assert change.abs().mean() < TOLERANCE[dtype]  # the norms of TINY magnify rounding where all 4 channels are near 0


@pytest.mark.parametrize("config", [PAPER, SMALL, TINY])
def test_requirements_fit_each_other(config):
    needs = requirements(config)
    assert needs.overlap < needs.window
    assert needs.window % needs.frames_per_latent == 1
    assert needs.overlap % needs.frames_per_latent == 0
    assert needs.multiple % needs.latent_stride == 0
    sides = (needs.min_tile, needs.max_tile, needs.tile_overlap)
    assert all(side % needs.multiple == 0 for side in sides)


@pytest.mark.parametrize("stage", ["encode", "step", "decode"])
def test_the_memory_estimate_grows_with_everything(stage):
    restorer = tiny()
    least = restorer.memory_bytes(stage, 4, 16, 16, torch.float16)
    assert 0 < least < restorer.memory_bytes(stage, 8, 16, 16, torch.float16)
    assert least < restorer.memory_bytes(stage, 4, 32, 16, torch.float16)
    assert least < restorer.memory_bytes(stage, 4, 16, 32, torch.float16)
    assert least < restorer.memory_bytes(stage, 4, 16, 16, torch.float32)


def test_every_stage_computes_with_parts_that_there_are():
    restorer = tiny()
    named = {name for names in restorer.stage_parts.values() for name in names}
    assert named == set(restorer.parts)


def test_compiled_parts_take_the_place_of_the_plain_ones():
    restorer, clip, called = tiny(), random_clip(5), []

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
    frames_of(restorer, clip)
    assert called == ["encoder", "denoiser", "decoder"]


def peak_of_allocations(work) -> int:
    """Return the most bytes that `work` holds at once, of those it allocates."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        work()
    events = [event for event in profile.profiler.kineto_results.events() if event.name() == "[memory]"]
    held = torch.tensor([event.nbytes() for event in sorted(events, key=lambda event: event.start_ns())])
    return int(held.cumsum(0).max())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("ffn_width", [8960 // 8, 1536 // 8])
def test_the_memory_estimate_of_the_step_is_what_it_allocates(dtype, ffn_width):
    config = replace(TINY, layers=1, heads=3, head_width=64, ffn_width=ffn_width, latent_channels=16,
                     latent_mean=(0.0,) * 16, latent_std=(1.0,) * 16)  # fmt: skip
    restorer = cast(DuoVSRRestorer(tiny_network(config)), dtype)
    latent, noise = random(3, 16, 32, 32), random(3, 16, 32, 32, seed=1)
    used = peak_of_allocations(lambda: restorer.step(latent, noise=noise))
    assert restorer.memory_bytes("step", 12, 64, 64, dtype) == pytest.approx(used, rel=0.25)


@torch.inference_mode()
@pytest.mark.parametrize(("dtype", "pixels"), [(torch.float32, 2**19), (torch.bfloat16, 2**19), (torch.bfloat16, 1)])
@pytest.mark.parametrize("config", [SMALL, replace(TINY, vae_width=16, vae_layers=2)])
def test_the_memory_estimate_of_the_autoencoder_is_what_it_allocates(monkeypatch, config, dtype, pixels):
    monkeypatch.setattr(causal, "PIXELS", pixels)
    restorer, clip = cast(DuoVSRRestorer(tiny_network(config)), dtype), random_clip(9, 32, 32)
    latent = restorer.encode(clip)
    work = {"encode": lambda: restorer.encode(clip), "decode": lambda: restorer.decode(latent, clip)}
    used = {stage: peak_of_allocations(work[stage]) for stage in work}
    estimate = {stage: restorer.memory_bytes(stage, 9, 32, 32, dtype) for stage in work}
    assert estimate == pytest.approx(used, rel=0.25)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_memory_estimate_of_the_tiny_decoder_is_what_it_allocates(dtype):
    restorer = DuoVSRRestorer(tiny_network(TINY_VIDEO)).with_decoder(taew(), "taew2_1.safetensors")
    restorer, clip, latent = cast(restorer, dtype), random_clip(5, 32, 32), random(2, 16, 16, 16)
    used = peak_of_allocations(lambda: restorer.decode(latent, clip))
    assert restorer.memory_bytes("decode", 5, 32, 32, dtype) == pytest.approx(used, rel=0.25)
