"""The text a model file of ours carries beside its weights, and configs as JSON."""

import json
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any, TypeVar

from ..errors import CheckpointError

Config = TypeVar("Config")
PREFIX = "vsr."
LARGEST = 1 << 20
MOST_ITEMS = 64


@dataclass(frozen=True, kw_only=True)
class Metadata:
    architecture: str
    config: str
    """JSON of the architecture's config dataclass."""
    source: str = ""
    """Where the weights come from, in a sentence."""
    licence: str = ""


def to_text(metadata: Metadata) -> dict[str, str]:
    """Return the entries for a safetensors header."""
    return {PREFIX + name: value for name, value in asdict(metadata).items()}


def from_text(entries: Mapping[str, str]) -> Metadata | None:
    """Read the entries back; None if the file is not one of ours."""
    found = {field.name: entries[PREFIX + field.name] for field in fields(Metadata) if PREFIX + field.name in entries}
    if "architecture" not in found or "config" not in found:
        return None
    return Metadata(**found)


def config_to_json(config: Any) -> str:
    """Write a config dataclass as JSON."""
    return json.dumps(asdict(config))


def config_from_json(kind: type[Config], text: str) -> Config:
    """Read a config of `kind`; every field's name, type and size is checked. Raises CheckpointError."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"The model's config is not JSON: {error}.") from error
    if not isinstance(values, dict):
        raise CheckpointError(f"The model's config should be a JSON object, got {type(values).__name__}.")
    defaults = {field.name: field.default for field in fields(kind) if field.default is not MISSING}
    unknown = sorted(set(values) - set(defaults))
    if unknown:
        raise CheckpointError(f"The model's config has fields this version does not know: {unknown}. Update the pack.")
    checked = {name: _checked(name, value, defaults[name]) for name, value in values.items()}
    try:
        return kind(**checked)
    except ValueError as error:
        raise CheckpointError(f"The model's config describes no network: {error}.") from error


def _checked(name: str, value: Any, default: Any) -> Any:
    if isinstance(default, tuple):
        if not isinstance(value, list) or not 1 <= len(value) <= MOST_ITEMS:
            raise CheckpointError(f"Config field {name} should be a short list, got {value!r:.80}.")
        return tuple(_checked(name, item, default[0]) for item in value)
    if type(value) is not type(default):
        raise CheckpointError(f"Config field {name} should be {type(default).__name__}, got {value!r:.80}.")
    if isinstance(value, int) and not 0 <= value <= LARGEST:
        raise CheckpointError(f"Config field {name} should be between 0 and {LARGEST}, got {value}.")
    return value
