"""The picture that shows what restoring did."""

import pytest
import torch
from PIL import Image
from restorers import enlarged, random_clip
from torch import Tensor

from vsr_core.clip import resize_bicubic
from vsr_core.compare import richest_crop, write_comparison
from vsr_core.compare.picture import GAP, to_picture
from vsr_core.errors import VideoError


def pixels(image: Image.Image, box: tuple[int, int, int, int]) -> Tensor:
    part = image.crop(box)
    return torch.frombuffer(bytearray(part.tobytes()), dtype=torch.uint8).view(part.height, part.width, 3)


def test_bicubic_is_on_the_left_and_the_result_on_the_right(tmp_path):
    before = random_clip(1, 60, 80)
    after = enlarged(before)
    path = write_comparison(tmp_path / "sub" / "picture.png", before[0], after[0])
    bottom = (0, 200, 320, 240)  # below the title
    with Image.open(path) as image:
        assert image.size == (2 * 320 + GAP, 2 * 240 + GAP)
        left, right = pixels(image, bottom), pixels(image, (320 + GAP, 200, 640 + GAP, 240))
    yellow = torch.tensor([255, 255, 0])
    for found, frame in ((left, resize_bicubic(before, 240, 320)[0]), (right, after[0])):
        expected = torch.frombuffer(bytearray(to_picture(frame).tobytes()), dtype=torch.uint8).view(240, 320, 3)[200:]
        outside_the_box = (found != yellow).any(-1)
        assert outside_the_box.float().mean() > 0.8
        assert torch.equal(found[outside_the_box], expected[outside_the_box])


@pytest.mark.parametrize(("top", "left"), [(0, 0), (40, 90), (64, 32)])
def test_the_crop_is_where_the_detail_is(top, left):
    frame = torch.full((3, 96, 128), 0.5)
    frame[:, top : top + 24, left : left + 32] = random_clip(1, 24, 32)[0][:, : 96 - top, : 128 - left]
    found_top, found_left = richest_crop(frame, 24, 32)
    assert abs(found_top - top) <= 6
    assert abs(found_left - left) <= 8


def test_a_flat_frame_has_a_crop_too():
    assert richest_crop(torch.zeros(3, 16, 16), 4, 4) == (0, 0)


@pytest.mark.parametrize("name", ["picture.unknown", "file/picture.png"])
def test_a_place_that_cannot_be_written_is_named(tmp_path, name):
    (tmp_path / "file").write_bytes(b"mine")
    clip = random_clip(1)
    with pytest.raises(VideoError, match=f"Could not write .*{name}"):
        write_comparison(tmp_path / name, clip[0], enlarged(clip)[0])
