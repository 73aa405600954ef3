"""Configs travel as JSON; whatever a stranger's file claims is checked field by field."""

import json

import pytest

from vsr_core.architectures.adc_vsr import PAPER, SMALL, TINY, Config
from vsr_core.checkpoints.metadata import Metadata, config_from_json, config_to_json, from_text, to_text
from vsr_core.errors import CheckpointError


@pytest.mark.parametrize("config", [PAPER, SMALL, TINY])
def test_a_config_survives_the_way_there_and_back(config):
    assert config_from_json(Config, config_to_json(config)) == config


def test_fields_that_are_not_stated_have_their_defaults():
    assert config_from_json(Config, '{"window": 7}') == Config(window=7)


def test_metadata_survives_the_way_there_and_back():
    metadata = Metadata(architecture="a", config="{}", source="here", licence="CC0")
    assert from_text(to_text(metadata)) == metadata


@pytest.mark.parametrize("entries", [{}, {"format": "pt"}, {"vsr.architecture": "a"}, {"vsr.config": "{}"}])
def test_the_metadata_of_other_files_is_not_ours(entries):
    assert from_text(entries) is None


@pytest.mark.parametrize("text", ["", "{", "nan", "[" * 100_000, '{"window": 1' + "0" * 5000 + "}"])
def test_a_config_that_is_not_json_is_refused(text):
    with pytest.raises(CheckpointError, match="not JSON"):
        config_from_json(Config, text)


@pytest.mark.parametrize("text", ["[]", "3", '"window"', "null"])
def test_a_config_that_is_no_object_is_refused(text):
    with pytest.raises(CheckpointError, match="JSON object"):
        config_from_json(Config, text)


def test_a_field_that_is_not_known_is_named():
    with pytest.raises(CheckpointError, match=r"\['gadgets'\].*Update the pack"):
        config_from_json(Config, '{"gadgets": 3, "window": 5}')


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("layers", -1),
        ("layers", 1 << 40),
        ("layers", True),
        ("layers", 2.0),
        ("layers", "2"),
        ("layers", None),
        ("layers", [2]),
        ("temporal", 1),
        ("temporal", "yes"),
        ("channels", 240),
        ("channels", []),
        ("channels", [8] * 65),
        ("channels", [8, -8]),
        ("channels", [8, 1 << 40]),
        ("channels", [8, True]),
        ("channels", [[8], [16]]),
        ("channels", {"0": 8}),
        ("color", 3),
    ],
)
def test_a_value_of_a_wrong_kind_or_size_is_refused_by_field(field, value):
    with pytest.raises(CheckpointError, match=f"field {field} should be"):
        config_from_json(Config, json.dumps({field: value}))


@pytest.mark.parametrize("change", [{"layers": 1_000_000}, {"heads": [3, 0]}, {"unshuffle": 0}, {"color": "sepia"}])
def test_values_that_describe_no_network_are_refused(change):
    text = json.dumps({**json.loads(config_to_json(TINY)), **change})
    with pytest.raises(CheckpointError, match=f"describes no network: .*{next(iter(change))}"):
        config_from_json(Config, text)
