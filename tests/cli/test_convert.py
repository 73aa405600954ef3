"""`convert`: every architecture says what it needs, and what is wrong with what it got."""

from pathlib import Path

import pytest
import torch
from architectures.os_diffvsr.published import osediff, tiny_network, write_folder, write_prompt

from vsr_core.architectures import ARCHITECTURES, architecture
from vsr_core.architectures.os_diffvsr import PAPER
from vsr_core.cli.main import main


@pytest.fixture
def published(tmp_path) -> dict[str, Path]:
    network = tiny_network()
    torch.save(osediff(network), tmp_path / "osediff.pkl")
    return {
        "--sd21": write_folder(tmp_path / "sd21", network),
        "--osediff": tmp_path / "osediff.pkl",
        "--prompt-embeds": write_prompt(tmp_path / "prompt.safetensors", PAPER),
        "-o": tmp_path / "out.safetensors",
    }


def words(options: dict[str, Path | str]) -> list[str]:
    return ["convert", "os_diffvsr", *(str(word) for pair in options.items() for word in pair)]


def without_spaces(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_option_is_explained(capsys, name):
    assert main(["convert", name, "--help"]) == 0
    shown = without_spaces(capsys.readouterr().out)
    for option, argument in architecture(name).ARGUMENTS.items():
        assert without_spaces(f"{option} {argument.metavar} {argument.help}") in shown


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture_is_listed_with_what_it_is_made_of(capsys, name):
    assert main(["convert", "--help"]) == 0
    shown = without_spaces(capsys.readouterr().out)
    arguments = architecture(name).ARGUMENTS.values()
    assert all((without_spaces(argument.help) in shown) == argument.required for argument in arguments)


@pytest.mark.parametrize("left_out", ["--sd21", "--osediff", "-o"])
def test_what_is_needed_cannot_be_left_out(published, left_out):
    del published[left_out]
    assert main(words(published)) == 2


def test_what_is_optional_can_be_left_out(published, capsys):
    del published["--prompt-embeds"]
    assert main(words(published)) == 1
    assert "There is no prompt" in capsys.readouterr().err


def test_options_that_contradict_each_other_are_bad_usage(published, capsys):
    assert main([*words(published), "--prompt", "a photo"]) == 2
    assert "--prompt-embeds is the prompt already" in capsys.readouterr().err


def test_weights_of_another_model_are_refused_and_nothing_is_written(published, capsys):
    assert main(words(published)) == 1
    assert "error: sd21 is for text of width 6" in capsys.readouterr().err
    assert not published["-o"].exists()


@pytest.mark.parametrize("option", ["--sd21", "--prompt-embeds"])
@pytest.mark.parametrize("content", [b"no weights", None])
def test_a_file_that_is_damaged_or_missing_is_named(published, tmp_path, capsys, option, content):
    published[option] = tmp_path / "broken.safetensors"
    if content:
        published[option].write_bytes(content)
    assert main(words(published)) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert "broken.safetensors" in error
