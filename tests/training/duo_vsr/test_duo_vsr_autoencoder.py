"""The autoencoder learns to give back the target, and leaves latents as the stages after it expect them."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor
from training.runs import CPU, first_batch, moved, resumes_to_the_same, weights_before

from vsr_core.architectures.duo_vsr import SMALL, TINY
from vsr_core.architectures.duo_vsr.network import DuoVSR
from vsr_core.training.contact_sheet import contact_sheet
from vsr_core.training.duo_vsr.autoencoder import Autoencoder, build, dataset, normalised, small, tiny
from vsr_core.training.duo_vsr.latents import Latents


def run(**changes) -> Autoencoder:
    return build(replace(tiny(), **changes), CPU)


@pytest.fixture(scope="module")
def batch() -> tuple[Tensor, Tensor]:
    return first_batch(dataset(tiny(), None))


def network(weights: dict[str, Tensor]) -> DuoVSR:
    made = DuoVSR(TINY)
    made.load_state_dict(weights)
    return made.requires_grad_(False)


def test_the_loss_falls(batch):
    learning = run(warmup=1)
    losses = [learning.step(batch, index)["loss"] for index in range(8)]
    assert losses[-1] < 0.9 * losses[0]


def test_the_loss_is_that_of_the_target_through_the_autoencoder(batch):
    learning = run()
    latents = Latents(learning.begun.network)
    expected = (latents.decode(latents.of_target(batch[1]), batch[0]) - batch[1]).abs().mean() * 2
    assert learning.step(batch, 0)["loss"] == pytest.approx(expected.item(), rel=2e-3)


def test_the_autoencoder_learns_and_nothing_else(batch):
    learning = run()
    (before,) = weights_before(learning.begun.network)
    for index in range(3):
        learning.step(batch, index)
    assert moved(learning.begun.network, before) == {name for name in before if name.startswith("vae.")}


def test_normalised_latents_have_no_mean_and_a_deviation_of_one_and_decode_to_the_same(batch):
    torch.manual_seed(0)
    before = DuoVSR(TINY).requires_grad_(False)
    latents = Latents(before)
    found = latents.of_target(batch[1])
    values = found.transpose(0, 1).flatten(1)
    weights = normalised(before.state_dict(), values.mean(1), values.square().mean(1), TINY)
    after = Latents(network(weights))
    new = after.of_target(batch[1])
    assert torch.allclose(new.mean((0, 2, 3, 4)), torch.zeros(4), atol=1e-3)
    assert torch.allclose(new.std((0, 2, 3, 4), correction=0), torch.ones(4), atol=1e-3)
    assert torch.allclose(after.decode(new, batch[0]), latents.decode(found, batch[0]), atol=1e-4)


def test_a_channel_that_says_nothing_stays_finite():
    weights = normalised(DuoVSR(TINY).state_dict(), torch.zeros(4), torch.zeros(4), TINY)
    assert all(value.isfinite().all() for value in weights.values())


def test_the_model_has_the_moments_of_what_the_run_saw(batch):
    learning = run(learning_rate=0.0)
    for index in range(2):
        learning.step(batch, index)
    weights, _ = learning.model(2)
    new = Latents(network(weights)).of_target(batch[1])
    assert torch.allclose(new.mean((0, 2, 3, 4)), torch.zeros(4), atol=0.05)
    assert torch.allclose(new.std((0, 2, 3, 4)), torch.ones(4), atol=0.05)


def test_resuming_equals_not_stopping(tmp_path):
    changes = {"steps": 4, "ema": 0.9}
    assert resumes_to_the_same(lambda: run(**changes), dataset(tiny(), None), tmp_path, stop=2)


def test_a_picture_shows_input_output_and_target(batch):
    assert contact_sheet(*run().sample(batch)).shape == (3, 2 * 32, 3 * 32)


def test_the_small_run_goes_on_from_the_built_in_model():
    assert small().network == SMALL
    assert small().lpips
