"""The bundled clip is what the demo needs: short, small, one shot, moving, with sound."""

from pathlib import Path

import pytest
import torch

from vsr_core.video import probe, read_frames

CLIP = Path(__file__).resolve().parents[2] / "workflows" / "assets" / "night_city_240p.mp4"


@pytest.fixture(scope="module")
def frames():
    return torch.stack([frame.image for frame in read_frames(CLIP)])


def test_it_is_two_to_four_seconds_of_small_pictures_with_sound():
    info = probe(CLIP)
    assert (info.height, info.width, info.frame_rate, info.frames) == (136, 240, 24, 58)
    assert 2 <= info.duration <= 4
    assert info.has_audio
    assert CLIP.stat().st_size < 1_500_000


def test_it_moves_and_has_no_cut(frames):
    steps = (frames[1:] - frames[:-1]).abs().mean((1, 2, 3))
    assert steps.min() > 0.01
    assert steps.max() < 2 * steps.median()


def test_it_has_fine_detail(frames):
    neighbours = (frames[..., 1:] - frames[..., :-1]).abs().mean()
    assert neighbours > 0.04


def test_its_licence_is_stated_beside_it():
    readme = (CLIP.parent / "README.md").read_text()
    assert CLIP.name in readme
    assert "CC0" in readme
