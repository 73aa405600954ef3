"""Rectified flow: straight lines between data and noise."""

import pytest
import torch

from vsr_core.schedulers.rectified_flow import clean_latent, euler, noised


def test_a_noised_latent_lies_on_the_line_from_data_to_noise():
    clean, noise = torch.tensor([[2.0], [2.0], [2.0]]), torch.tensor([[6.0], [6.0], [6.0]])
    assert noised(clean, noise, torch.tensor([0.0, 0.25, 1.0])).tolist() == [[2.0], [3.0], [6.0]]


def test_the_true_velocity_leads_back_to_the_data_from_any_time():
    clean, noise, t = torch.randn(3, 4, 2, 2), torch.randn(3, 4, 2, 2), torch.tensor([0.1, 0.5, 1.0])
    assert torch.allclose(clean_latent(noised(clean, noise, t), noise - clean, t), clean, atol=1e-5)


def test_euler_steps_shrink_a_linear_field_by_powers():
    noisy = torch.full((2, 1), 16.0)
    found = euler(lambda z, t: z, noisy, torch.tensor([1.0, 0.5]), span=0.5, steps=2)
    assert found.flatten().tolist() == pytest.approx([16 * 0.75**2] * 2)


def test_each_euler_step_asks_at_its_own_time():
    asked = []
    euler(lambda z, t: asked.append(t.tolist()) or z, torch.ones(2, 1), torch.tensor([1.0, 0.5]), span=0.5, steps=2)
    assert asked == [[1.0, 0.5], [0.75, 0.25]]
