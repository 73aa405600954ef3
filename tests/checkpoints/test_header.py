"""Damaged and hostile safetensors files are refused before a weight is read."""

import json
import struct
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from vsr_core.checkpoints.header import TensorInfo, read_header
from vsr_core.errors import CheckpointError

TERABYTES = 1 << 43


@pytest.fixture
def file(tmp_path) -> Path:
    path = tmp_path / "model.safetensors"
    save_file({"a": torch.zeros(2, 3), "b": torch.zeros(4).half()}, path, metadata={"key": "value"})
    return path


def write_raw(path: Path, header: dict | bytes, data: bytes = b"", *, length: int | None = None) -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + data)
    return path


def tensor(shape: list[int], start: int, stop: int) -> dict:
    return {"weight": {"dtype": "F32", "shape": shape, "data_offsets": [start, stop]}}


def test_names_shapes_dtypes_and_metadata_are_read(file):
    header = read_header(str(file))
    assert header.tensors == {"a": TensorInfo((2, 3), "F32"), "b": TensorInfo((4,), "F16")}
    assert header.metadata == {"key": "value"}
    assert header.path == file


@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.9])
def test_a_truncated_file_is_refused_with_its_size(file, share):
    data = file.read_bytes()[: int(file.stat().st_size * share)]
    file.write_bytes(data)
    with pytest.raises(CheckpointError, match=rf"model.safetensors \({len(data)} bytes\) is not a whole"):
        read_header(file)


@pytest.mark.parametrize(
    ("header", "length"),
    [
        (b"{}", TERABYTES),
        (b"{}", 2**64 - 1),
        (tensor([TERABYTES // 4], 0, TERABYTES), None),
        (tensor([1 << 40, 1 << 40], 0, 8), None),
        (tensor([2], 0, 1 << 62), None),
        (tensor([2], 8, 0), None),
        (tensor([3], 0, 8), None),
        (b"[1, 2]", None),
        (b"\xff\xfe\x00", None),
        (b'{"weight": {"dtype": "F31", "shape": [2], "data_offsets": [0, 8]}}', None),
    ],
)
def test_a_header_that_lies_is_refused(tmp_path, header, length):
    path = write_raw(tmp_path / "model.safetensors", header, b"\0" * 8, length=length)
    with pytest.raises(CheckpointError, match="is not a whole safetensors file"):
        read_header(path)


def test_the_same_header_without_a_lie_is_read(tmp_path):
    path = write_raw(tmp_path / "model.safetensors", tensor([2], 0, 8), b"\0" * 8)
    assert read_header(path).tensors == {"weight": TensorInfo((2,), "F32")}


def test_a_folder_is_refused(tmp_path):
    folder = tmp_path / "model.safetensors"
    folder.mkdir()
    with pytest.raises(CheckpointError, match="is a folder"):
        read_header(folder)


def test_a_file_that_is_not_there_is_refused_with_a_way_to_list_models(tmp_path):
    with pytest.raises(CheckpointError, match="No model file at .*python -m vsr_core models"):
        read_header(tmp_path / "model.safetensors")


@pytest.mark.parametrize("name", ["model.ckpt", "model.pkl", "model.pth", "model"])
def test_another_kind_of_file_is_refused_with_a_way_to_convert_it(tmp_path, name):
    (tmp_path / name).write_bytes(b"PK")
    with pytest.raises(CheckpointError, match=f"{name} is not a .safetensors file.*vsr_core convert"):
        read_header(tmp_path / name)
