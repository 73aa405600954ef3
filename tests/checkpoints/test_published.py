"""The list of published files makes sense, and what it says about `convert` is what `convert` takes."""

import re
import shlex

import pytest

from vsr_core.architectures import published
from vsr_core.cli.main import _parser

FILES = {f"{name}/{file.name}": file for name, source in published().items() for file in source.files}


def test_the_weights_of_every_readme_row_are_there():
    assert set(published()) == {"adcsr", "osediff", "sd21", "wan21"}


@pytest.mark.parametrize("name", FILES)
def test_a_file_comes_over_a_safe_connection_and_has_a_hash_that_can_be_one(name):
    file = FILES[name]
    assert file.url.startswith("https://")
    assert file.url.endswith(file.name.rsplit("/", 1)[-1])
    assert file.digest is None or re.fullmatch(r"sha256:[0-9a-f]{64}|git:[0-9a-f]{40}", file.digest)
    assert ".." not in file.name
    assert not file.name.startswith("/")


@pytest.mark.parametrize("name", published())
def test_its_licence_is_stated_and_the_next_command_is_one_that_convert_takes(name, tmp_path):
    source = published()[name]
    assert source.licence
    assert source.homepage.startswith("https://")
    words = ["convert", *shlex.split(source.convert.format(sources="sources", models="models"))]
    parsed = _parser(words).parse_args(words)
    assert parsed.out.startswith("models/")
    given = {value for value in vars(parsed).values() if isinstance(value, str) and value.startswith("sources/")}
    mine = {f"sources/{name}", *(f"sources/{name}/{file.name}" for file in source.files)}
    assert given & mine
