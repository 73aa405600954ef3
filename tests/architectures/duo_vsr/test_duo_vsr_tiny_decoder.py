"""The tiny decoder computes what taew2_1's published layout says, piece by piece, and takes nothing else."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from architectures.duo_vsr.published import tiny_network, vae_tensors
from architectures.duo_vsr.tiny_decoders import SHAPES, WIDTHS, taew
from comfyui.tiny_model import TINY_VIDEO
from restorers import Watched, random_clip, tiny_restorer
from safetensors.torch import save_file
from torch import Tensor

from vsr_core.architectures.duo_vsr import SMALL
from vsr_core.architectures.duo_vsr.causal import Carry
from vsr_core.architectures.duo_vsr.restorer import DuoVSRRestorer
from vsr_core.architectures.duo_vsr.tiny_decoder import TinyDecoder
from vsr_core.architectures.duo_vsr.tiny_files import build_tiny_decoder
from vsr_core.errors import CheckpointError, SettingError
from vsr_core.load import cast, with_tiny_decoder
from vsr_core.restore import Settings, decode, restore, upscale
from vsr_core.tiling import Tiling

NORMALISED, RAW = "taew2_1.safetensors", "lighttaew2_1.safetensors"


def published(tensors: dict[str, Tensor], latent: Tensor) -> Tensor:
    """Decode normalised latents (T, C, H, W) to pictures (4 T - 3, 3, 8 H, 8 W) around 0..1, layer by layer."""

    def conv(x: Tensor, layer: str) -> Tensor:
        weight = tensors[f"decoder.{layer}.weight"]
        return F.conv2d(x, weight, tensors.get(f"decoder.{layer}.bias"), padding=weight.shape[-1] // 2)

    x = F.relu(conv(torch.tanh(latent / 3) * 3, "1"))
    for first in (3, 9, 15):
        for block in range(first, first + 3):
            before = torch.cat([torch.zeros_like(x[:1]), x[:-1]])
            hidden = F.relu(conv(torch.cat([x, before], 1), f"{block}.conv.0"))
            hidden = F.relu(conv(hidden, f"{block}.conv.2"))
            x = F.relu(conv(hidden, f"{block}.conv.4") + x)
        grown = conv(F.interpolate(x, scale_factor=2.0), f"{first + 4}.conv")
        x = conv(grown.reshape(-1, x.shape[1], *grown.shape[-2:]), str(first + 5))
    return conv(F.relu(x), "22")[3:]


@pytest.fixture(scope="module")
def tensors() -> dict[str, Tensor]:
    return taew()


@pytest.fixture(scope="module")
def decoder(tensors) -> TinyDecoder:
    return build_tiny_decoder(tensors, NORMALISED, TINY_VIDEO)


@pytest.fixture
def file(tmp_path, tensors):
    save_file(tensors, tmp_path / RAW)
    return tmp_path / RAW


def latents(frames: int) -> Tensor:
    """Return raw latents (1, 16, T, 2, 3)."""
    generator = torch.Generator().manual_seed(frames)
    normalised = torch.randn(1, 16, frames, 2, 3, generator=generator)
    return normalised * statistics()[1][:, None] + statistics()[0][:, None]


def statistics() -> tuple[Tensor, Tensor]:
    return tuple(torch.tensor(values).view(-1, 1, 1) for values in (TINY_VIDEO.latent_mean, TINY_VIDEO.latent_std))


def pictures(decoded: Tensor) -> Tensor:
    """Return the decoder's (1, 3, T, H, W) in -1..1 as (T, 3, H, W) in 0..1."""
    return (decoded[0].transpose(0, 1) + 1) / 2


def test_it_has_the_published_tensors_and_no_others(decoder):
    found = {name: tuple(value.shape) for name, value in decoder.state_dict().items()}
    assert found == {f"decoder.{name}": shape for name, shape in SHAPES.items()}
    assert SHAPES["1.weight"][0] == WIDTHS[0]


@pytest.mark.parametrize("frames", [1, 2, 3, 6])
def test_it_computes_what_the_published_layers_compute_on_normalised_latents(decoder, tensors, frames):
    latent, (mean, std) = latents(frames), statistics()
    expected = published(tensors, (latent[0].transpose(0, 1) - mean) / std)
    found = pictures(decoder(latent))
    assert found.shape == (4 * frames - 3, 3, 16, 24)
    assert expected.std() > 0.1
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)


def test_the_one_called_light_takes_latents_as_they_are(tensors):
    light = build_tiny_decoder(tensors, RAW, TINY_VIDEO)
    expected = published(tensors, latents(2)[0].transpose(0, 1))
    torch.testing.assert_close(pictures(light(latents(2))), expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("sizes", [[1] * 6, [2, 2, 2], [3, 3], [5, 1]])
def test_a_shot_in_pieces_gives_what_it_gives_whole(decoder, sizes):
    latent, carry = latents(6), Carry()
    pieces = [decoder(piece, carry) for piece in latent.split(sizes, 2)]
    assert [piece.shape[2] for piece in pieces] == [4 * n - (3 if i == 0 else 0) for i, n in enumerate(sizes)]
    torch.testing.assert_close(torch.cat(pieces, 2), decoder(latent), rtol=0, atol=1e-5)


def test_what_is_carried_does_not_grow_with_the_shot(decoder):
    kept = []
    for frames in (1, 5):
        carry = Carry()
        decoder(latents(frames), carry)
        kept.append(sum(frame.numel() for frames in carry.frames.values() for frame in frames))
    assert 0 < kept[0] == kept[1]


def test_it_takes_the_place_of_the_models_own_decoder_and_shares_the_rest(file):
    own = DuoVSRRestorer(tiny_network(TINY_VIDEO))
    other = with_tiny_decoder(own, file)
    assert isinstance(other.parts["decoder"], TinyDecoder) and not isinstance(own.parts["decoder"], TinyDecoder)
    assert all(other.parts[name] is own.parts[name] for name in ("encoder", "denoiser"))
    assert not any(value.requires_grad or value.is_meta for value in other.parts["decoder"].parameters())


def test_it_computes_in_the_dtype_of_the_model(file):
    restorer = with_tiny_decoder(cast(DuoVSRRestorer(tiny_network(TINY_VIDEO)), torch.bfloat16), file)
    assert {value.dtype for value in restorer.parts["decoder"].parameters()} == {torch.bfloat16}


@pytest.mark.parametrize(("frames", "height", "width"), [(1, 16, 16), (7, 17, 19), (13, 16, 20)])
def test_exactly_as_many_frames_come_out_exactly_four_times_as_large(file, frames, height, width):
    restorer = with_tiny_decoder(DuoVSRRestorer(tiny_network(TINY_VIDEO)), file)
    clip = random_clip(frames, height, width)
    found = torch.cat(list(restore(clip, restorer, Watched(), Settings(), total=frames)))
    assert found.shape == (frames, 3, 4 * height, 4 * width)


def test_windows_and_the_whole_clip_give_the_same_frames(file):
    restorer = with_tiny_decoder(DuoVSRRestorer(tiny_network(TINY_VIDEO)), file)
    clip, settings = random_clip(13), Settings(color="none")
    latent = upscale(clip, restorer, Watched(), settings)
    whole = decode(latent, clip, restorer, Watched(), settings)
    pieces = restore(clip, restorer, Watched(), settings, total=13)
    torch.testing.assert_close(torch.cat(list(pieces)), whole, rtol=0, atol=1e-4)


def test_a_model_of_another_architecture_has_no_tiny_decoder(file):
    with pytest.raises(SettingError, match=r"cannot decode this model's latents \(adc_vsr\)"):
        with_tiny_decoder(tiny_restorer(), file)


@pytest.mark.parametrize("config", [SMALL, replace(TINY_VIDEO, bicubic_skip=True)])
def test_a_model_with_latents_of_its_own_has_no_tiny_decoder(file, config):
    with pytest.raises(SettingError, match="decodes Wan2.1's latents, not this model's"):
        with_tiny_decoder(DuoVSRRestorer(tiny_network(config)), file)


def without(tensors: dict[str, Tensor], name: str) -> dict[str, Tensor]:
    return {key: value for key, value in tensors.items() if key != name}


def of_channels(channels: int) -> dict[str, Tensor]:
    return {**taew(), "decoder.1.weight": torch.zeros(256, channels, 3, 3)}


PICTURES = {"1.weight": torch.zeros(64, 16, 3, 3), "1.bias": torch.zeros(64), "3.conv.0.weight": torch.zeros(64)}


@pytest.mark.parametrize(
    ("found", "message"),
    [
        pytest.param(PICTURES, "is a tiny autoencoder of single pictures, as TAESD and TAEF1", id="taef1"),
        pytest.param({f"taesd_decoder.{k}": v for k, v in PICTURES.items()}, "of single pictures", id="taesd"),
        pytest.param(of_channels(48), "latents of Wan 2.2 5B with 48 channels instead of 16", id="taew2_2"),
        pytest.param(of_channels(32), "of HunyuanVideo 1.5 with 32 channels", id="taehv1_5"),
        pytest.param(of_channels(12), "latents with 12 channels", id="unknown"),
        pytest.param(vae_tensors(tiny_network(TINY_VIDEO)), "is a Wan's full VAE", id="wan vae"),
        pytest.param({"x": torch.zeros(1)}, r"holds no tiny video decoder \(x\)", id="nothing"),
        pytest.param(without(taew(), "decoder.8.weight"), r"1 missing \(decoder.8.weight\)", id="missing"),
        pytest.param({**taew(), "decoder.23.weight": torch.zeros(1)}, "1 unexpected", id="left over"),
    ],
)
def test_another_file_is_refused_by_what_it_is(found, message):
    with pytest.raises(CheckpointError, match=message):
        build_tiny_decoder(found, NORMALISED, TINY_VIDEO)


def test_a_file_that_may_be_hunyuanvideos_is_refused_because_only_its_name_tells(tensors):
    with pytest.raises(CheckpointError, match="taehv.pth may decode latents of HunyuanVideo.*in the file's name"):
        build_tiny_decoder(tensors, "taehv.pth", TINY_VIDEO)


def test_the_message_says_what_to_take_instead():
    with pytest.raises(CheckpointError, match=r"expected taew2_1 \(github.com/madebyollin/taehv\) or lighttaew2_1"):
        build_tiny_decoder(PICTURES, NORMALISED, TINY_VIDEO)


def test_a_truncated_file_is_refused_by_name(file):
    file.write_bytes(file.read_bytes()[:-1000])
    with pytest.raises(CheckpointError, match=RAW):
        with_tiny_decoder(DuoVSRRestorer(tiny_network(TINY_VIDEO)), file)


def test_the_published_pickle_is_read(tmp_path, tensors):
    torch.save({name: value.half() for name, value in tensors.items()}, tmp_path / "taew2_1.pth")
    restorer = with_tiny_decoder(DuoVSRRestorer(tiny_network(TINY_VIDEO)), tmp_path / "taew2_1.pth")
    assert {value.dtype for value in restorer.parts["decoder"].parameters()} == {torch.float32}


def test_tiles_agree_with_the_whole_within_a_bound(file):
    restorer = with_tiny_decoder(DuoVSRRestorer(tiny_network(TINY_VIDEO)), file)
    clip, settings = random_clip(1, 16, 48), Settings(color="none")
    latent = upscale(clip, restorer, Watched(), settings)
    whole = decode(latent, clip, restorer, Watched(), settings)
    tiles = Settings(color="none", tiling=Tiling(tile=32, tile_overlap=16))
    difference = (decode(latent, clip, restorer, Watched(), tiles) - whole).abs()
    assert difference.max() > 0
    assert difference.mean() < 0.1 * whole.std()
