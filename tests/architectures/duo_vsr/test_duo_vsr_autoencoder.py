"""The autoencoder gives what diffusers' AutoencoderKLWan gives with the same weights, in stretches of any length."""

from dataclasses import replace

import pytest
import torch
from architectures.duo_vsr.published import OFFICIAL
from torch import Tensor, nn

from vsr_core.architectures.duo_vsr import PAPER, TINY
from vsr_core.architectures.duo_vsr.autoencoder import Decoder, Encoder, build_autoencoder
from vsr_core.architectures.duo_vsr.causal import Carry
from vsr_core.architectures.duo_vsr.config import DuoVSRConfig
from vsr_core.architectures.duo_vsr.wan_keys import official_vae_name
from vsr_core.errors import ClipError

NARROW = replace(TINY, vae_width=8, vae_layers=2)
FRAMES = (1, 5, 9, 21, 33)


def diffusers_autoencoder(config: DuoVSRConfig) -> nn.Module:
    """Return diffusers' with random weights; norms are not one and biases not zero."""
    from diffusers import AutoencoderKLWan

    torch.manual_seed(0)
    reference = AutoencoderKLWan(
        base_dim=config.vae_width,
        z_dim=config.latent_channels,
        dim_mult=list(config.vae_factors),
        num_res_blocks=config.vae_layers,
        latents_mean=list(config.latent_mean),
        latents_std=list(config.latent_std),
    )
    for name, value in reference.named_parameters():
        if name.endswith("gamma"):
            nn.init.uniform_(value, 0.5, 1.5)
    return reference.eval()


def ours(reference: nn.Module, config: DuoVSRConfig) -> tuple[Encoder, Decoder]:
    vae = build_autoencoder(config)
    vae.load_state_dict(reference.state_dict(), strict=True)
    return Encoder(vae), Decoder(vae)


@pytest.fixture(scope="module")
def reference() -> nn.Module:
    return diffusers_autoencoder(NARROW)


@pytest.fixture(scope="module")
def encoder(reference) -> Encoder:
    return ours(reference, NARROW)[0]


@pytest.fixture(scope="module")
def decoder(reference) -> Decoder:
    return ours(reference, NARROW)[1]


def pictures(frames: int, height: int = 16, width: int = 24) -> Tensor:
    return torch.rand(1, 3, frames, height, width, generator=torch.Generator().manual_seed(1)) * 2 - 1


def latents(frames: int, channels: int = TINY.latent_channels) -> Tensor:
    return torch.randn(1, channels, frames, 2, 3, generator=torch.Generator().manual_seed(2))


def in_chunks(part: nn.Module, video: Tensor, sizes: list[int]) -> Tensor:
    carry = Carry()
    return torch.cat([part(piece, carry) for piece in video.split(sizes, 2)], 2)


def assert_close(found: Tensor, expected: Tensor) -> None:
    assert found.shape == expected.shape
    assert (found - expected).abs().max() < 1e-4 * expected.std()


@pytest.mark.parametrize("gradients", [False, True])
@pytest.mark.parametrize("frames", FRAMES)
def test_latents_are_those_of_diffusers(reference, encoder, frames, gradients):
    with torch.no_grad():
        expected = reference.encode(pictures(frames)).latent_dist.mean
    with torch.set_grad_enabled(gradients):
        assert_close(encoder(pictures(frames)), expected)


@pytest.mark.parametrize("gradients", [False, True])
@pytest.mark.parametrize("frames", FRAMES)
def test_pictures_are_those_of_diffusers(reference, decoder, frames, gradients):
    latent = latents((frames + 3) // 4)
    with torch.no_grad():
        expected = reference.decode(latent).sample
    with torch.set_grad_enabled(gradients):
        assert_close(decoder(latent).clamp(-1, 1), expected)


def test_at_full_width_both_are_those_of_diffusers():
    reference = diffusers_autoencoder(PAPER)
    encoder, decoder = ours(reference, PAPER)
    with torch.no_grad():
        expected = reference.encode(pictures(5, 16, 16)).latent_dist.mean
        assert_close(encoder(pictures(5, 16, 16)), expected)
        assert_close(decoder(expected).clamp(-1, 1), reference.decode(expected).sample)


@pytest.mark.parametrize("size", [1, 2, 3, 8])
@torch.no_grad()
def test_a_shot_in_chunks_of_any_size_gives_what_it_gives_whole(encoder, decoder, size):
    counts = [len(part) for part in torch.arange(9).split(size)]
    frames = [4 * count - (3 if number == 0 else 0) for number, count in enumerate(counts)]
    assert_close(in_chunks(encoder, pictures(33), frames), encoder(pictures(33)))
    assert_close(in_chunks(decoder, latents(9), counts), decoder(latents(9)))


@torch.no_grad()
def test_chunks_that_the_layers_would_make_themselves_change_not_one_bit(encoder, decoder):
    assert torch.equal(in_chunks(decoder, latents(9), [1, 4, 4]), decoder(latents(9)))
    assert torch.equal(in_chunks(encoder, pictures(33), [1, 16, 16]), encoder(pictures(33)))


@torch.no_grad()
def test_no_frame_depends_on_later_ones(encoder, decoder):
    clip, latent = pictures(13), latents(4)
    other_clip, other_latent = clip.clone(), latent.clone()
    other_clip[:, :, 9:] = 0
    other_latent[:, :, 3:] = 0
    assert_close(encoder(other_clip)[:, :, :3], encoder(clip)[:, :, :3])
    assert_close(decoder(other_latent)[:, :, :9], decoder(latent)[:, :, :9])
    assert not torch.allclose(decoder(other_latent)[:, :, 9:], decoder(latent)[:, :, 9:], atol=0.01)


@torch.no_grad()
def test_a_stream_yields_frames_before_it_has_seen_the_last_latent(decoder):
    stream = decoder.stream(latents(9))
    first = next(stream)
    assert_close(first, decoder(latents(9)[:, :, :1])[:, :, 0])
    assert len(list(stream)) == 32


@torch.no_grad()
def test_what_is_carried_does_not_grow_with_the_shot(encoder, decoder):
    def kept(carry: Carry) -> int:
        return sum(frame.numel() for frames in carry.frames.values() for frame in frames)

    for part, video in ((encoder, pictures), (decoder, latents)):
        carry = Carry()
        part(video(5), carry)
        after_five = kept(carry)
        part(video(32), carry)
        assert 0 < kept(carry) == after_five


@torch.no_grad()
def test_videos_of_a_batch_do_not_mix(encoder, decoder):
    clips, both = torch.cat([pictures(9), -pictures(9)]), torch.cat([latents(3), -latents(3)])
    assert_close(encoder(clips), torch.cat([encoder(clip[None]) for clip in clips]))
    assert_close(decoder(both), torch.cat([decoder(latent[None]) for latent in both]))


def test_gradients_are_those_of_diffusers():
    reference = diffusers_autoencoder(NARROW)
    encoder, decoder = ours(reference, NARROW)
    expected = reference.decode(reference.encode(pictures(9)).latent_dist.mean * 0.3).sample
    expected.square().mean().backward()
    found = decoder(encoder(pictures(9)) * 0.3)
    found.clamp(-1, 1).square().mean().backward()
    wanted = {name: value.grad for name, value in reference.named_parameters()}
    for half in (encoder, decoder):
        for name, value in half.named_parameters():
            assert (value.grad - wanted[name]).abs().max() < 1e-3 * wanted[name].abs().max(), name


def test_every_tensor_learns(reference):
    parts = ours(reference, NARROW)
    clip, latent = pictures(9), latents(3)
    (parts[0](clip).square().mean() + parts[1](latent).square().mean()).backward()
    still = [name for part in parts for name, value in part.named_parameters() if not value.grad.any()]
    assert still == []


def test_there_are_126892531_parameters_under_diffusers_and_under_wans_own_names():
    from diffusers import AutoencoderKLWan

    with torch.device("meta"):
        vae, reference = build_autoencoder(PAPER), AutoencoderKLWan()
    shapes = {name: tuple(value.shape) for name, value in vae.state_dict().items()}
    assert sum(value.numel() for value in vae.parameters()) == 126_892_531
    assert shapes == {name: tuple(value.shape) for name, value in reference.state_dict().items()}
    official = {official_vae_name(name, PAPER): shape for name, shape in shapes.items()}
    assert official == {name: tuple(shape) for name, shape in OFFICIAL["vae"].items()}


@pytest.mark.parametrize("frames", [0, 2, 4, 6])
def test_another_number_of_frames_at_a_shots_beginning_is_refused(encoder, frames):
    with pytest.raises(ClipError, match=rf"got {frames} frames and takes 4 k \+ 1\. Repeat the last"):
        encoder(pictures(frames))


@torch.no_grad()
def test_later_frames_come_in_fours(encoder):
    carry = Carry()
    encoder(pictures(1), carry)
    with pytest.raises(ClipError, match=r"got 5 frames and takes 4 k\. "):
        encoder(pictures(5), carry)


def test_sizes_that_do_not_divide_are_refused(encoder):
    with pytest.raises(ClipError, match="20x16 and takes multiples of 8"):
        encoder(pictures(1, 16, 20))
