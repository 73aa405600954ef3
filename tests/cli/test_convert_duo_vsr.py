"""`convert duo_vsr`: what is needed, and what is wrong with what it got."""

from pathlib import Path

import pytest
import torch
from architectures.duo_vsr.published import OFFICIAL, write_prompt

from vsr_core.architectures.duo_vsr import PAPER
from vsr_core.cli.main import main


def empty(shapes: dict[str, list[int]], path: Path) -> Path:
    """Write tensors of full size that take no room: their one number is stored once."""
    torch.save({name: torch.zeros(()).expand(shape) for name, shape in shapes.items()}, path)
    return path


@pytest.fixture
def published(tmp_path) -> dict[str, Path | str]:
    return {
        "--wan": empty(OFFICIAL["dit"], tmp_path / "wan.pth"),
        "--vae": empty(OFFICIAL["vae"], tmp_path / "vae.pth"),
        "--prompt-embeds": write_prompt(tmp_path / "prompt.safetensors", PAPER, tokens=2),
        "-o": tmp_path / "out.safetensors",
    }


def words(options: dict[str, Path | str]) -> list[str]:
    return ["convert", "duo_vsr", *(str(word) for pair in options.items() for word in pair)]


@pytest.mark.parametrize("left_out", ["--wan", "--vae", "-o"])
def test_what_is_needed_cannot_be_left_out(published, left_out):
    del published[left_out]
    assert main(words(published)) == 2


def test_without_a_prompt_the_ways_to_give_one_are_listed(published, capsys):
    del published["--prompt-embeds"]
    assert main(words(published)) == 1
    assert "There is no prompt. Give one of (1) --prompt-embeds FILE" in capsys.readouterr().err


def test_options_that_contradict_each_other_are_bad_usage(published, capsys):
    assert main([*words(published), "--prompt", "a video"]) == 2
    assert "--prompt-embeds is the prompt already" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--wan", "--vae", "--lora", "--prompt-embeds"])
@pytest.mark.parametrize("content", [b"no weights", None])
def test_a_file_that_is_damaged_or_missing_is_named(published, tmp_path, capsys, option, content):
    published[option] = tmp_path / "broken.safetensors"
    if content:
        published[option].write_bytes(content)
    assert main(words(published)) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert "broken.safetensors" in error
    assert not published["-o"].exists()


WRONG = {
    "Wan 14B, which has 5120 channels": ("--wan", {"patch_embedding.weight": [5120, 16, 1, 2, 2]}),
    "an image-to-video Wan, which takes 36 channels": ("--wan", {"patch_embedding.weight": [1536, 36, 1, 2, 2]}),
    "an image-to-video Wan;": ("--wan", {"img_emb.proj.0.weight": [1280]}),
    "is a Wan VAE: give it as --vae": ("--wan", None),
    "is a VAE for single pictures, as Stable Diffusion's": ("--vae", {"decoder.conv_in.weight": [512, 4, 3, 3]}),
    "is Wan 2.2's VAE of 48 latent channels": (
        "--vae",
        {"decoder.upsamples.0.upsamples.0.residual.2.weight": [1], "decoder.head.0.gamma": [1], "conv2.weight": [48]},
    ),
}
"""What is said of a file that is given as an option, and tensors by which it is known; of the DiT, beside its own."""


@pytest.mark.parametrize("said", WRONG)
def test_another_model_is_named_and_nothing_is_written(published, tmp_path, capsys, said):
    option, shapes = WRONG[said]
    if shapes is None:
        shapes = OFFICIAL["vae"]
    elif option == "--wan":
        shapes = {**OFFICIAL["dit"], **shapes}
    published[option] = empty(shapes, tmp_path / "other.pth")
    assert main(words(published)) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: other.pth ")
    assert said in error
    assert "; expected" in error
    assert not published["-o"].exists()


def test_a_file_with_two_styles_of_names_is_named(published, tmp_path, capsys):
    shapes = {**OFFICIAL["dit"], "blocks.0.attn1.to_q.bias": [1536]}
    published["--wan"] = empty(shapes, tmp_path / "mixed.pth")
    assert main(words(published)) == 1
    assert "error: mixed.pth mixes two styles of names" in capsys.readouterr().err


def test_a_lora_of_another_wan_is_named(published, tmp_path, capsys):
    published["--lora"] = empty({"blocks.0.self_attn.q.lora_A.weight": [4, 5120]}, tmp_path / "lora.pth")
    assert main(words(published)) == 1
    assert "error: lora.pth is a LoRA for Wan 14B" in capsys.readouterr().err
