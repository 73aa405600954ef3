"""Training items as a picture: every clip is a row, every other part is named."""

from typing import NamedTuple

import numpy as np
import torch

from vsr_core.compare.picture import GAP
from vsr_core.training.data.preview import named, preview


class Labelled(NamedTuple):
    real: torch.Tensor
    kind: int


def clip(value: float, frames: int = 2, size: int = 128) -> torch.Tensor:
    return torch.full((frames, 3, size, size), value)


def test_a_pair_is_two_rows_of_one_size_and_frames_are_side_by_side():
    lr = clip(0.2, size=32)
    lr[1] = 0.4
    sheet = preview([(lr, clip(0.6)), (lr, clip(0.8))])
    assert sheet.size == (2 * 128 + GAP, 4 * 128 + 3 * GAP)
    pixels, step = np.array(sheet), 128 + GAP
    corners = [[pixels[row * step + 127, column * step + 127].tolist() for column in range(2)] for row in range(4)]
    dark, light, grey, bright = ([round(255 * value)] * 3 for value in (0.2, 0.4, 0.6, 0.8))
    assert corners == [[dark, light], [grey, grey], [dark, light], [bright, bright]]


def test_the_first_frame_of_a_row_has_a_title():
    pixels = np.array(preview([(clip(0.5, size=32), clip(0.5))]))
    assert (pixels[:40, :128] == 255).any()
    assert not (pixels[:128, 128 + GAP :] == 255).any()


def test_parts_have_the_names_that_the_data_gives_them():
    picture, number = clip(0.5)[0], torch.tensor(3)
    assert list(named((picture, picture))) == ["LR", "HR"]
    assert list(named(Labelled(picture, 1))) == ["real", "kind"]
    assert list(named({"good": picture, "bad": picture, "score": number})) == ["good", "bad", "score"]
    assert list(named([picture, picture, picture])) == ["0", "1", "2"]
    assert list(named(picture)) == [""]


def test_what_is_no_picture_is_in_the_title_and_takes_no_row():
    latent, label = torch.zeros(2, 16, 4, 4), torch.tensor(3)
    without, labelled = preview([{"hr": clip(0.5)}]), preview([{"hr": clip(0.5), "kind": label, "latent": latent}])
    assert labelled.size == without.size
    assert np.array(labelled).tolist() != np.array(without).tolist()


def test_small_frames_are_enlarged_so_that_their_title_can_be_read():
    assert preview([clip(0.5, frames=1, size=20)]).size == (100, 100)
