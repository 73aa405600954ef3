"""Tell whether an input, a model or a setting is still the same: by content, never by name or time."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from fractions import Fraction
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ..contract import Restorer
from ..errors import VideoError
from ..video.images import image_files
from .job import Job

BLOCK = 1 << 20
DIGEST_BYTES = 20
COMPILED = "_orig_mod."
"""What torch.compile puts before the names of weights."""
Facts = dict[str, Any]
"""JSON: strings, numbers, None, lists and dictionaries."""


def source_identity(path: Path) -> Facts:
    """Return size and digest of a video, or of the images of a folder in their order. Raises VideoError."""
    files = image_files(path) or [path]
    digest, size = blake2b(digest_size=DIGEST_BYTES), 0
    for file in files:
        size += file_size(file)
        digest.update(file_digest(file))
    return {"files": len(files), "bytes": size, "blake2b": digest.hexdigest()}


def file_size(file: Path) -> int:
    """Return the bytes of a file; raise VideoError if it is not there."""
    try:
        return file.stat().st_size
    except OSError as error:
        raise VideoError(f"{file} cannot be read: {error.strerror}. Was it moved or deleted?") from error


def file_digest(file: Path) -> bytes:
    """Return the BLAKE2b digest of a file's content; raise VideoError if it cannot be read."""
    digest = blake2b(digest_size=DIGEST_BYTES)
    try:
        with file.open("rb") as data:
            while block := data.read(BLOCK):
                digest.update(block)
    except OSError as error:
        raise VideoError(f"{file} cannot be read: {error.strerror}. Was it moved or deleted?") from error
    return digest.digest()


def stamp(path: Path) -> list[tuple[int, ...]]:
    """Return what changes when a file (or an image of a folder) is replaced or written to; raise VideoError.

    Only ever compared for equality: it is no matter what the clock says.
    """
    try:
        states = [file.stat() for file in image_files(path) or [path]]
    except OSError as error:
        raise VideoError(f"{path} cannot be read: {error.strerror}. Was it moved or deleted?") from error
    return [(state.st_ino, state.st_size, state.st_mtime_ns) for state in states]


def model_identity(restorer: Restorer) -> Facts:
    """Return architecture, config, computing dtype and a digest of all weights."""
    weights = {
        f"{part}.{name.replace(COMPILED, '')}": value
        for part, module in restorer.parts.items()
        for name, value in module.state_dict().items()
    }
    return {
        "architecture": restorer.architecture,
        "config": described(getattr(restorer, "config", restorer.requirements)),
        "dtype": "/".join(sorted({str(value.dtype).removeprefix("torch.") for value in weights.values()})),
        "blake2b": tensors_digest(weights),
    }


class Identity(NamedTuple):
    """What work belongs to."""

    stamp: list[tuple[int, ...]]
    """Of the input, taken before its content was read."""
    input: Facts
    model: Facts
    settings: Facts

    @property
    def facts(self) -> dict[str, Facts]:
        """Return what must not change while the work is unfinished, by name."""
        return {"input": self.input, "model": self.model, "settings": self.settings}

    @property
    def name(self) -> str:
        """Return a short name that is the same whenever the same is asked for."""
        return blake2b(json.dumps([*self.facts.values()], sort_keys=True).encode(), digest_size=8).hexdigest()


def identify(job: Job, restorer: Restorer) -> Identity:
    """Return what the work for `job` belongs to; reads the whole input and all weights. Raises VideoError."""
    state = stamp(job.source)
    settings = job_identity(job, job.target.suffix.lower())
    return Identity(state, source_identity(job.source), model_identity(restorer), settings)


def job_identity(job: Job, suffix: str) -> Facts:
    """Return every setting of a job that changes the result; `suffix` is the target's."""
    settings = {**described(job.settings), "tiling": described(job.settings.tiling)}
    settings["tiling"].pop("memory")
    names = ("size", "quality", "segment_seconds", "policy", "frames", "on_error", "audio")
    return {**settings, **{name: described(getattr(job, name)) for name in names}, "target": suffix}


def described(value: Any) -> Any:
    """Return plain data that tells `value` apart from others of its kind: tensors and networks by their digest."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Fraction | Path | torch.dtype):
        return str(value)
    if isinstance(value, Tensor):
        return tensors_digest({"": value})
    if isinstance(value, nn.Module):
        return tensors_digest(value.state_dict())
    if is_dataclass(value):
        values = {field.name: described(getattr(value, field.name)) for field in fields(value)}
        return {"kind": type(value).__name__, **values}
    if isinstance(value, Mapping):
        return {str(name): described(item) for name, item in value.items()}
    if isinstance(value, Sequence):
        return [described(item) for item in value]
    return type(value).__qualname__


def tensors_digest(tensors: Mapping[str, Tensor]) -> str:
    """Return a digest of names, shapes, dtypes and values."""
    digest = blake2b(digest_size=DIGEST_BYTES)
    for name, value in sorted(tensors.items()):
        digest.update(f"{name} {tuple(value.shape)} {value.dtype}".encode())
        digest.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    return digest.hexdigest()


def differences(before: Facts, now: Facts, path: str = "") -> Iterable[str]:
    """Yield a phrase for every fact that is not as it was, such as `seed was 0, is 1`."""
    for name in [*before, *(name for name in now if name not in before)]:
        old, new = before.get(name), now.get(name)
        where = f"{path}{name}"
        if isinstance(old, dict) and isinstance(new, dict):
            yield from differences(old, new, f"{where}.")
        elif old != new:
            yield f"{where} was {old}, is {new}"
