"""DISTS as the paper has it: nothing between equal frames, and both terms by their equations."""

import pytest
import torch
from safetensors.torch import save_file

from vsr_core.errors import CheckpointError, MissingPackageError
from vsr_core.metrics.dists import CHANNELS, DISTS, dists_metric, load_dists, shapes, similarities, soft_pool


@pytest.fixture(scope="module")
def network() -> DISTS:
    torch.manual_seed(0)
    return DISTS()


def test_equal_frames_have_no_distance_and_others_have_one(network):
    frames = torch.rand(2, 3, 48, 40)
    assert network(frames, frames).abs().max() < 1e-5
    assert (network(frames, frames.flip(3)) > 1e-3).all()


def test_it_has_vgg16s_features_and_the_frames_themselves(network):
    features = network.features(torch.rand(1, 3, 64, 32))
    assert [tuple(each.shape[1:]) for each in features] == [
        (3, 64, 32), (64, 64, 32), (128, 32, 16), (256, 16, 8), (512, 8, 4), (512, 4, 2),
    ]  # fmt: skip
    assert sum(each.shape[1] for each in features) == CHANNELS == 1475


def test_similarities_are_those_of_equations_2_and_3():
    x, y = torch.tensor([[1.0, 3.0]]).view(1, 1, 1, 2), torch.tensor([[4.0, 2.0]]).view(1, 1, 1, 2)
    texture, structure = similarities(x, y)  # means 2 and 3, variances 1 and 1, covariance -1
    assert texture.item() == pytest.approx(12 / 13, rel=1e-5)
    assert structure.item() == pytest.approx(-1, rel=1e-5)


def test_pooling_keeps_the_strength_of_what_is_constant():
    pooled = soft_pool(torch.full((1, 2, 8, 8), 3.0))
    assert pooled.shape == (1, 2, 4, 4)
    assert torch.allclose(pooled[:, :, 1:, 1:], torch.tensor(3.0))


def test_every_feature_has_its_weight(network):
    frames, others = torch.rand(1, 3, 32, 32), torch.rand(1, 3, 32, 32)
    weighted = DISTS()
    weighted.load_state_dict(network.state_dict())
    weighted.alpha.zero_()
    weighted.beta.zero_()
    weighted.alpha[:3] = torch.tensor([1.0, 2.0, 1.0])
    texture, _ = similarities(frames, others)
    expected = 1 - (texture * torch.tensor([0.25, 0.5, 0.25])).sum()
    assert weighted(frames, others).item() == pytest.approx(expected.item(), abs=1e-6)


def test_it_is_a_loss_gradients_reach_the_frames_and_no_weight(network):
    frames = torch.rand(1, 3, 32, 32, requires_grad=True)
    network(frames, torch.rand(1, 3, 32, 32)).sum().backward()
    assert frames.grad.abs().max() > 0
    assert all(value.grad is None for value in network.parameters())


def test_as_a_metric_it_gives_a_value_per_frame(network):
    values = dists_metric(network)(torch.rand(3, 3, 32, 40), torch.rand(3, 3, 32, 40))
    assert values.shape == (3,)


def test_weights_come_from_a_file_that_holds_exactly_them(tmp_path, network):
    with pytest.raises(MissingPackageError, match="dists.safetensors was not found"):
        load_dists(tmp_path)
    save_file(network.state_dict(), tmp_path / "dists.safetensors")
    assert torch.equal(load_dists(tmp_path).stages[4][2].weight, network.stages[4][2].weight)
    state = dict(network.state_dict(), alpha=torch.ones(3))
    save_file(state, tmp_path / "dists.safetensors")
    with pytest.raises(CheckpointError, match="alpha"):
        load_dists(tmp_path)
    assert "stages.0.0.weight" in shapes()
