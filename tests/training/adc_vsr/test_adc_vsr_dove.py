"""DOVE as a teacher, on CogVideoX's own classes with a few random channels."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKLCogVideoX, CogVideoXDPMScheduler, CogVideoXTransformer3DModel

from vsr_core.errors import CheckpointError, SettingError
from vsr_core.training.adc_vsr.dove import DOVE, STEP, load_dove

TOKENS, WIDTH = 6, 8


@pytest.fixture(scope="module")
def vae() -> AutoencoderKLCogVideoX:
    torch.manual_seed(0)
    return AutoencoderKLCogVideoX(
        block_out_channels=(8, 8, 8, 8), layers_per_block=1, norm_num_groups=4, latent_channels=4, scaling_factor=0.7
    )


@pytest.fixture(scope="module")
def transformer() -> CogVideoXTransformer3DModel:
    torch.manual_seed(1)
    return CogVideoXTransformer3DModel(
        num_attention_heads=2,
        attention_head_dim=16,
        in_channels=4,
        out_channels=4,
        time_embed_dim=8,
        text_embed_dim=WIDTH,
        num_layers=1,
        patch_size_t=2,
        max_text_seq_length=TOKENS,
        use_rotary_positional_embeddings=True,
        patch_bias=False,
    )


@pytest.fixture
def dove(transformer, vae) -> DOVE:
    prompt = torch.randn(TOKENS, WIDTH, generator=torch.Generator().manual_seed(2))
    return DOVE(transformer=transformer, vae=vae, alpha=0.36, prompt=prompt)


def clips(batch: int, frames: int, size: int) -> torch.Tensor:
    return torch.rand(batch, frames, 3, size, size, generator=torch.Generator().manual_seed(3)) * 2 - 1


@pytest.mark.parametrize("frames", [1, 5, 9])
def test_it_restores_clips_of_any_length_to_the_size_of_the_truth(dove, frames):
    restored = dove(clips(2, frames, 16), clips(2, frames, 64))
    assert restored.shape == (2, frames, 3, 64, 64)
    assert restored.abs().max() <= 1
    assert not restored.requires_grad


def test_what_is_decoded_follows_from_the_velocity_as_the_scheduler_defines_it(dove, monkeypatch):
    said = {}
    predict = dove.transformer.forward

    def listen(**given):
        said.update(given, velocity=predict(**given)[0])
        return (said["velocity"],)

    monkeypatch.setattr(dove.transformer, "forward", listen)
    lr = clips(1, 9, 16)
    restored = dove(lr, clips(1, 9, 64))
    large = F.interpolate(lr[0], scale_factor=4, mode="bilinear").transpose(0, 1)[None]
    with torch.no_grad():
        latent = dove.vae.encode(large).latent_dist.mode() * 0.7
        scheduler = CogVideoXDPMScheduler()
        scheduler.alphas_cumprod = torch.full((1000,), 0.36)
        clean = scheduler.get_velocity(said["velocity"], said["hidden_states"], said["timestep"])
        expected = dove.vae.decode(clean[:, 1:].transpose(1, 2) / 0.7).sample.clamp(-1, 1)
    assert said["hidden_states"].shape == (1, 4, 4, 8, 8)  # three latent frames, the first one twice
    assert torch.allclose(said["hidden_states"][:, 1:].transpose(1, 2), latent, atol=1e-5)
    assert torch.equal(said["hidden_states"][:, 0], said["hidden_states"][:, 1])
    assert said["timestep"].tolist() == [STEP]
    assert torch.equal(said["encoder_hidden_states"][0], dove.prompt)
    assert torch.allclose(restored.transpose(1, 2), expected, atol=1e-5)


def test_the_same_clip_is_restored_to_the_same(dove):
    lr, hr = clips(1, 5, 16), clips(1, 5, 64)
    assert torch.equal(dove(lr, hr), dove(lr, hr))


def test_crops_that_it_cannot_take_are_refused(dove):
    with pytest.raises(SettingError, match=r"multiples of 16 pixels, not \(72, 72\)"):
        dove(clips(1, 1, 18), clips(1, 1, 72))


def write_folder(folder: Path, transformer, vae) -> Path:
    """Write DOVE in diffusers' layout with a tiny T5."""
    import tokenizers
    import transformers

    transformer.save_pretrained(folder / "transformer")
    vae.save_pretrained(folder / "vae")
    CogVideoXDPMScheduler(beta_schedule="scaled_linear", prediction_type="v_prediction").save_pretrained(
        folder / "scheduler"
    )
    words = tokenizers.Tokenizer(tokenizers.models.WordLevel({"<pad>": 0, "</s>": 1, "a": 2}, unk_token="a"))
    transformers.PreTrainedTokenizerFast(tokenizer_object=words, pad_token="<pad>").save_pretrained(
        folder / "tokenizer"
    )
    sizes = transformers.T5Config(vocab_size=3, d_model=WIDTH, d_kv=4, d_ff=8, num_layers=1, num_heads=2)
    transformers.T5EncoderModel(sizes).save_pretrained(folder / "text_encoder")
    return folder


def test_it_loads_from_a_folder_of_diffusers(transformer, vae, tmp_path):
    pytest.importorskip("transformers")
    dove = load_dove(write_folder(tmp_path, transformer, vae), torch.device("cpu"))
    assert dove.prompt.shape == (TOKENS, WIDTH)
    assert dove.alpha == pytest.approx(CogVideoXDPMScheduler().alphas_cumprod[399].item())
    assert dove(clips(1, 5, 16), clips(1, 5, 64)).isfinite().all()
    assert not any(value.requires_grad for part in (dove.transformer, dove.vae) for value in part.parameters())


def test_a_folder_of_something_else_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="not a diffusers folder of THUDM/CogVideoX1.5-5B"):
        load_dove(tmp_path, torch.device("cpu"))
