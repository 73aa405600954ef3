"""The base model learns many steps with and without its prompt."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor
from training.duo_vsr.duo_runs import learned, same_frames
from training.runs import CPU, first_batch, moved, resumes_to_the_same, weights_before

from vsr_core.schedulers.rectified_flow import noised
from vsr_core.training.contact_sheet import contact_sheet
from vsr_core.training.duo_vsr.base import Base, build, dataset, tiny


def stage(**changes) -> Base:
    return build(replace(tiny(), **changes), CPU)


@pytest.fixture(scope="module")
def batch() -> tuple[Tensor, Tensor]:
    return first_batch(dataset(tiny(), None))


def test_the_loss_falls(batch):
    run = stage()
    figures = [run.step(batch, 0) for _ in range(12)]
    assert figures[-1]["flow"] < 0.8 * figures[0]["flow"]


def test_the_loss_is_the_distance_to_noise_minus_data_at_a_time_of_the_items_own(batch):
    run, asked = stage(), []
    run.denoiser.network.register_forward_hook(lambda module, inputs, output: asked.append((inputs, output)))
    z_hr = run.latents.of_target(batch[1])
    flow = run.step(batch, 0)["flow"]
    [((noisy, t, _, _), velocity)] = asked
    noise = (noisy - (1 - t.view(-1, 1, 1, 1, 1)) * z_hr) / t.view(-1, 1, 1, 1, 1)
    assert torch.allclose(noised(z_hr, noise, t), noisy, atol=1e-4)
    assert flow == pytest.approx((velocity - (noise - z_hr)).square().mean().item(), rel=0.05)
    assert t[0] != t[1]


@pytest.mark.parametrize(("share", "without"), [(0.0, False), (1.0, True)])
def test_the_prompt_is_left_out_of_the_share_asked_for(batch, share, without):
    run, texts = stage(no_text=share), []
    run.denoiser.network.register_forward_hook(lambda module, inputs, output: texts.append(inputs[3]))
    run.step(batch, 0)
    assert [not text.any() for text in texts[0]] == [without] * 2


def test_the_dit_learns_and_nothing_else(batch):
    run = stage()
    (vae,) = weights_before(run.begun.network.vae)
    run.step(batch, 0)
    names = {name for name, _ in run.denoiser.network.named_parameters() if "dit.blocks" in name}
    assert learned(run.denoiser) >= names
    assert {name.split(".")[0] for name in learned(run.denoiser)} == {"dit"}
    assert moved(run.begun.network.vae, vae) == set()


def test_clips_are_learned_with_as_many_noises_and_times_as_asked_for(batch):
    run, asked = stage(draws=3), []
    run.denoiser.network.register_forward_hook(lambda module, inputs, output: asked.append(inputs))
    run.step(batch, 0)
    [(noisy, t, lr, _)] = asked
    assert len(noisy) == len(set(t.tolist())) == 6
    assert torch.equal(lr[:2], lr[2:4]) and not torch.equal(lr[0], lr[1])


def test_resuming_equals_not_stopping(tmp_path):
    changes = {"steps": 4, "ema": 0.9}
    assert resumes_to_the_same(lambda: stage(**changes), dataset(tiny(), None), tmp_path, stop=2)


def test_the_exported_model_restores_as_the_network_does(tmp_path, batch):
    run = stage()
    run.step(batch, 0)
    assert same_frames(run, run.begun, tmp_path / "model.safetensors")


def test_a_picture_shows_input_output_and_target(batch):
    assert contact_sheet(*stage().sample(batch)).shape == (3, 2 * 32, 3 * 32)
