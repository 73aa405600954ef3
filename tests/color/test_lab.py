"""CIELAB there and back, and colour matched without brightness."""

import pytest
import torch

from vsr_core.color.lab import match_lab, to_lab, to_rgb


def test_every_colour_survives_the_way_there_and_back():
    levels = torch.linspace(0, 1, 18)
    cube = torch.stack(torch.meshgrid(levels, levels, levels, indexing="ij")).reshape(1, 3, 18, -1)
    assert torch.allclose(to_rgb(to_lab(cube)), cube, atol=2e-4)


@pytest.mark.parametrize(
    ("rgb", "lab"),
    [
        ((1.0, 1.0, 1.0), (100.0, 0.0, 0.0)),
        ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0)),
        ((1.0, 0.0, 0.0), (53.24, 80.09, 67.20)),
        ((0.0, 0.0, 1.0), (32.30, 79.19, -107.86)),
    ],
)
def test_known_colours_have_their_published_coordinates(rgb, lab):
    found = to_lab(torch.tensor(rgb).view(1, 3, 1, 1)).flatten()
    assert torch.allclose(found, torch.tensor(lab), atol=0.1)


def test_a_tint_disappears_and_the_brightness_stays():
    generator = torch.Generator().manual_seed(0)
    reference = 0.3 + 0.3 * torch.rand(6, 3, 32, 32, generator=generator)
    lab = to_lab(reference)
    tinted = to_rgb(lab + torch.tensor([0.0, 12.0, -9.0]).view(3, 1, 1))
    matched, _ = match_lab(tinted, reference)
    assert (tinted - reference).abs().mean() > 0.02
    assert torch.allclose(matched, reference, atol=5e-3)
    assert torch.allclose(to_lab(matched)[:, 0], to_lab(tinted)[:, 0], atol=0.1)
