"""The prompt's embedding is read from a file or computed by a text encoder that is there."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from architectures.os_diffvsr.text_encoder import write_text_encoder
from safetensors.torch import save_file
from torch import Tensor

from vsr_core.architectures.os_diffvsr.config import PAPER, TINY
from vsr_core.architectures.os_diffvsr.prompt import encode_prompt, read_prompt
from vsr_core.checkpoints.text_encoder import has_text_encoder
from vsr_core.errors import CheckpointError, MissingPackageError, SettingError

SIZE = (TINY.prompt_tokens, TINY.prompt_width)
WRITERS = {
    ".safetensors": lambda value, path: save_file({"prompt": value}, path),
    ".pt": torch.save,
    ".npy": lambda value, path: np.save(path, value.numpy()),
    ".npz": lambda value, path: np.savez(path, prompt=value.numpy()),
}


def embedding(*size: int) -> Tensor:
    return torch.randn(size, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("batch", [(), (1,)])
def test_an_embedding_is_read_from_every_kind_of_file(tmp_path, kind, batch):
    path, value = tmp_path / f"prompt{kind}", embedding(*batch, *SIZE)
    WRITERS[kind](value, path)
    assert torch.equal(read_prompt(path, TINY), value.reshape(SIZE))


def test_a_named_tensor_in_a_pickle_and_half_precision_are_read(tmp_path):
    value = embedding(*SIZE).half()
    torch.save({"prompt_embeds": value}, tmp_path / "prompt.pt")
    found = read_prompt(tmp_path / "prompt.pt", TINY)
    assert found.dtype == torch.float32
    assert torch.equal(found, value.float())


@pytest.mark.parametrize(
    ("size", "message"),
    [
        ((77, 768), r"of Stable Diffusion 1.5 of size \(77, 768\).*expected \(77, 1024\).*OpenCLIP ViT-H"),
        ((1, 77, 2048), r"of Stable Diffusion XL of size \(1, 77, 2048\)"),
        ((76, 1024), r"an embedding of size \(76, 1024\)"),
        ((2, 77, 1024), r"an embedding of size \(2, 77, 1024\)"),
        ((), r"an embedding of size \(\)"),
    ],
)
def test_an_embedding_of_another_size_is_refused(tmp_path, size, message):
    torch.save(embedding(*size), tmp_path / "prompt.pt")
    with pytest.raises(CheckpointError, match=message):
        read_prompt(tmp_path / "prompt.pt", PAPER)


@pytest.mark.parametrize(
    ("value", "message"), [(torch.full(SIZE, torch.inf), "not finite"), (torch.zeros(SIZE).long(), "int64")]
)
def test_an_embedding_of_other_numbers_is_refused(tmp_path, value, message):
    torch.save(value, tmp_path / "prompt.pt")
    with pytest.raises(CheckpointError, match=message):
        read_prompt(tmp_path / "prompt.pt", TINY)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"a": embedding(*SIZE), "b": embedding(*SIZE)}, r"holds 2 tensors \(a, b\); expected"),
        ([embedding(*SIZE)], "holds a list; expected"),
        ({"text": "a photo"}, "holds a dict; expected"),
        ({}, "holds 0 tensors"),
    ],
)
def test_a_file_with_anything_but_one_tensor_is_refused(tmp_path, content, message):
    torch.save(content, tmp_path / "prompt.pt")
    with pytest.raises(CheckpointError, match=message):
        read_prompt(tmp_path / "prompt.pt", TINY)


@pytest.mark.parametrize("kind", WRITERS)
def test_a_damaged_file_is_refused_by_name(tmp_path, kind):
    path = tmp_path / f"prompt{kind}"
    path.write_bytes(b"damaged")
    with pytest.raises(CheckpointError, match=f"prompt{kind}"):
        read_prompt(path, TINY)


def test_objects_in_a_numpy_file_are_refused_and_not_run(tmp_path):
    np.save(tmp_path / "prompt.npy", np.array([{}], dtype=object))
    with pytest.raises(CheckpointError, match="prompt.npy is not a whole NumPy file"):
        read_prompt(tmp_path / "prompt.npy", TINY)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="No prompt embedding at"):
        read_prompt(tmp_path / "prompt.pt", TINY)


def test_a_folder_without_a_text_encoder_is_refused(tmp_path):
    (tmp_path / "text_encoder").mkdir()
    assert not has_text_encoder(tmp_path)
    with pytest.raises(CheckpointError, match="has no folders text_encoder/ and tokenizer/"):
        encode_prompt(tmp_path, "a photo", TINY)


@pytest.fixture
def text_encoder(tmp_path) -> Path:
    pytest.importorskip("transformers")
    return write_text_encoder(tmp_path, TINY)


def test_without_transformers_the_error_says_what_to_do(tmp_path, monkeypatch):
    for part in ("text_encoder", "tokenizer"):
        (tmp_path / part).mkdir()
    monkeypatch.setitem(sys.modules, "transformers", None)  # what Python itself keeps for a module that is not there
    with pytest.raises(MissingPackageError, match="pip install transformers.*--prompt-embeds FILE"):
        encode_prompt(tmp_path, "a photo", TINY)


def test_a_prompt_is_embedded_by_the_text_encoder_of_a_folder(text_encoder):
    found = {prompt: encode_prompt(text_encoder, prompt, TINY) for prompt in ("", "photo", "sharp")}
    assert all(value.shape == SIZE and value.dtype == torch.float32 for value in found.values())
    first, *others = (value[1] for value in found.values())
    assert all(not torch.equal(first, other) for other in others)
    assert torch.equal(found["photo"], encode_prompt(text_encoder, "photo", TINY))
    assert torch.equal(found["photo"][0], found["sharp"][0])  # both begin with the same token, and look back only


def test_a_short_prompt_is_filled_up_with_token_0(text_encoder):
    from transformers import CLIPTextModel, CLIPTokenizer

    tokenizer = CLIPTokenizer.from_pretrained(text_encoder / "tokenizer")
    encoder = CLIPTextModel.from_pretrained(text_encoder / "text_encoder")
    start, end = tokenizer("").input_ids
    with torch.inference_mode():
        expected = encoder(torch.tensor([[start, end, 0]])).last_hidden_state[0]
    assert torch.equal(encode_prompt(text_encoder, "", TINY), expected)


def test_a_prompt_that_is_too_long_is_refused(text_encoder):
    with pytest.raises(SettingError, match="The prompt has 5 tokens, start and end included; 3 fit"):
        encode_prompt(text_encoder, "clean sharp photo", TINY)


def test_a_text_encoder_of_another_width_is_refused(text_encoder):
    with pytest.raises(CheckpointError, match=r"gives an embedding of size \(1, 3, 6\)"):
        encode_prompt(text_encoder, "photo", replace(TINY, prompt_width=8))


def test_a_text_encoder_without_weights_is_refused(text_encoder):
    (text_encoder / "text_encoder" / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match="no text encoder that transformers can load"):
        encode_prompt(text_encoder, "photo", TINY)
