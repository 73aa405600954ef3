"""The prompt's embedding is read from a file or computed by a text encoder that is there, and filled up with zeros."""

import sys
from pathlib import Path

import pytest
import torch
from architectures.duo_vsr.text_encoder import write_text_encoder
from torch import Tensor

from vsr_core.architectures.duo_vsr.config import PAPER, TINY
from vsr_core.architectures.duo_vsr.prompt import encode_prompt, no_prompt, read_prompt
from vsr_core.checkpoints.text_encoder import has_text_encoder
from vsr_core.errors import CheckpointError, MissingPackageError, SettingError

SIZE = (TINY.prompt_tokens, TINY.prompt_width)


def embedding(*size: int) -> Tensor:
    return torch.randn(size, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("batch", [(), (1,)])
@pytest.mark.parametrize("tokens", [1, 2, 3])
def test_an_embedding_is_read_and_filled_up_with_zeros(tmp_path, batch, tokens):
    value = embedding(*batch, tokens, TINY.prompt_width)
    torch.save(value.half(), tmp_path / "prompt.pt")
    found = read_prompt(tmp_path / "prompt.pt", TINY)
    assert found.shape == SIZE
    assert found.dtype == torch.float32
    assert torch.equal(found[:tokens], value.half().float().reshape(tokens, -1))
    assert not found[tokens:].any()


@pytest.mark.parametrize(
    ("size", "message"),
    [
        ((77, 768), r"of CLIP ViT-L of size \(77, 768\).*expected at most 512 x 4096 .*UMT5-XXL"),
        ((1, 77, 2048), r"of SDXL's two text encoders of size \(1, 77, 2048\)"),
        ((513, 4096), r"an embedding of size \(513, 4096\)"),
        ((2, 512, 4096), r"an embedding of size \(2, 512, 4096\)"),
        ((0, 4096), r"an embedding of size \(0, 4096\)"),
        ((), r"an embedding of size \(\)"),
    ],
)
def test_an_embedding_of_another_size_is_refused(tmp_path, size, message):
    torch.save(embedding(*size), tmp_path / "prompt.pt")
    with pytest.raises(CheckpointError, match=message):
        read_prompt(tmp_path / "prompt.pt", PAPER)


@pytest.mark.parametrize(
    ("value", "message"), [(torch.full(SIZE, torch.nan), "not finite"), (torch.zeros(SIZE).long(), "int64")]
)
def test_an_embedding_of_other_numbers_is_refused(tmp_path, value, message):
    torch.save(value, tmp_path / "prompt.pt")
    with pytest.raises(CheckpointError, match=message):
        read_prompt(tmp_path / "prompt.pt", TINY)


def test_no_prompt_is_what_an_empty_one_is_filled_up_with():
    assert torch.equal(no_prompt(TINY), torch.zeros(SIZE))


def test_a_folder_without_a_text_encoder_is_refused(tmp_path):
    (tmp_path / "text_encoder").mkdir()
    assert not has_text_encoder(tmp_path)
    with pytest.raises(CheckpointError, match="has no folders text_encoder/ and tokenizer/"):
        encode_prompt(tmp_path, "a video", TINY)


def test_without_transformers_the_error_says_what_to_do(tmp_path, monkeypatch):
    for part in ("text_encoder", "tokenizer"):
        (tmp_path / part).mkdir()
    monkeypatch.setitem(sys.modules, "transformers", None)  # what Python itself keeps for a module that is not there
    with pytest.raises(MissingPackageError, match="pip install transformers.*--prompt-embeds FILE"):
        encode_prompt(tmp_path, "a video", TINY)


@pytest.fixture
def text_encoder(tmp_path) -> Path:
    pytest.importorskip("transformers")
    return write_text_encoder(tmp_path, TINY)


def test_a_prompt_is_embedded_with_its_end_and_filled_up_with_zeros(text_encoder):
    import transformers

    encoder = transformers.UMT5EncoderModel.from_pretrained(text_encoder / "text_encoder")
    with torch.inference_mode():
        expected = encoder(torch.tensor([[5, 1]])).last_hidden_state[0]
    found = encode_prompt(text_encoder, " sharp\n", TINY)
    assert found.shape == SIZE
    torch.testing.assert_close(found[:2], expected)
    assert not found[2:].any()


def test_filling_up_after_encoding_is_what_a_mask_does(text_encoder):
    import transformers

    encoder = transformers.UMT5EncoderModel.from_pretrained(text_encoder / "text_encoder")
    with torch.inference_mode():
        masked = encoder(torch.tensor([[5, 1, 0]]), torch.tensor([[1, 1, 0]])).last_hidden_state[0]
    torch.testing.assert_close(encode_prompt(text_encoder, "sharp", TINY)[:2], masked[:2])


def test_a_prompt_that_is_too_long_is_refused(text_encoder):
    with pytest.raises(SettingError, match="The prompt has 4 tokens, the end included; 3 fit"):
        encode_prompt(text_encoder, "clean sharp video", TINY)


def test_a_text_encoder_of_another_width_is_refused(text_encoder):
    with pytest.raises(CheckpointError, match=r"gives an embedding of size \(1, 2, 6\)"):
        encode_prompt(text_encoder, "video", PAPER)


def test_a_text_encoder_without_weights_is_refused(text_encoder):
    (text_encoder / "text_encoder" / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match="no text encoder that transformers can load"):
        encode_prompt(text_encoder, "video", TINY)
