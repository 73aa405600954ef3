"""Networks from scratch: they start as bicubic, get better, and resume as if they had never stopped."""

from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import pytest
import torch
from training.runs import CPU, exported, first_batch, resumes_to_the_same
from training.runs import run as train

from vsr_core.architectures.os_diffvsr.network import enlarged
from vsr_core.checkpoints.write import write_model
from vsr_core.errors import SettingError
from vsr_core.training.contact_sheet import contact_sheet
from vsr_core.training.duo_vsr import pretrain as duo_vsr
from vsr_core.training.losses import psnr
from vsr_core.training.os_diffvsr import pretrain as os_diffvsr
from vsr_core.training.pretrain import Pretrain


@dataclass(frozen=True, kw_only=True)
class Case:
    recipe: ModuleType
    skips: dict[str, bool]
    """Of the network's config, with which it starts as bicubic."""
    learning_rate: float
    falls: float
    """The share of the loss that is left after a few steps."""

    def run(self, **changes: Any) -> Pretrain:
        return self.recipe.build(replace(self.recipe.tiny(), **changes), CPU)

    def clips(self) -> Any:
        return self.recipe.dataset(self.recipe.tiny(), None)


CASES = {
    "os_diffvsr": Case(recipe=os_diffvsr, skips={"bicubic_skip": True}, learning_rate=5e-3, falls=0.8),
    "duo_vsr": Case(recipe=duo_vsr, skips={"bicubic_skip": True, "latent_skip": True}, learning_rate=1e-3, falls=0.95),
}


@pytest.fixture(scope="module", params=CASES)
def case(request) -> Case:
    return CASES[request.param]


@pytest.fixture(scope="module")
def batch(case) -> tuple[torch.Tensor, torch.Tensor]:
    return first_batch(case.clips())


def bicubic_psnr(batch: tuple[torch.Tensor, torch.Tensor]) -> float:
    lr, hr = (clips.flatten(0, 1) for clips in batch)
    return psnr(enlarged(lr), hr * 2 - 1).item()


def test_the_loss_falls(case, batch):
    learning = case.run(steps=12)
    figures = [learning.step(batch, index) for index in range(12)]
    assert figures[-1]["loss"] < case.falls * figures[0]["loss"]
    assert figures[-1]["psnr"] > figures[0]["psnr"] + 0.4


def test_a_run_with_the_skips_starts_as_bicubic_and_gets_better(case, batch):
    clip = tuple(clips[:1] for clips in batch)
    network = replace(case.recipe.tiny().network, **case.skips)
    learning = case.run(network=network, batch=1, steps=20, learning_rate=case.learning_rate)
    figures = [learning.step(clip, index) for index in range(20)]
    assert figures[0]["psnr"] == pytest.approx(bicubic_psnr(clip), abs=1e-3)
    assert figures[-1]["psnr"] > bicubic_psnr(clip) + 0.02


@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_resuming_equals_not_stopping(case, tmp_path, ema):
    changes = {"steps": 4, "ema": ema, "clip_norm": 1.0}
    assert resumes_to_the_same(lambda: case.run(**changes), case.clips(), tmp_path, stop=2)


def test_another_run_goes_on_from_the_model_and_says_so(case, batch, tmp_path):
    first = case.run()
    first.step(batch, 0)
    exported(first, tmp_path / "model.safetensors")
    second = case.recipe.build(case.recipe.tiny(), CPU, init=tmp_path / "model.safetensors")
    assert all(value.requires_grad for value in second.student.network.parameters())
    learned, taken = first.student.network.state_dict(), second.student.network.state_dict()
    assert all(torch.equal(taken[name], value.half().float()) for name, value in learned.items())
    assert second.model(7)[1].source.startswith(f"{first.model(1)[1].source}, trained by pixels, 7 steps")


def test_a_run_keeps_the_licence_of_the_model_it_goes_on_from(case, tmp_path):
    weights, metadata = case.run().model(1)
    write_model(tmp_path / "model.safetensors", weights, replace(metadata, licence="MIT"), dtype=torch.float16)
    second = case.recipe.build(case.recipe.tiny(), CPU, init=tmp_path / "model.safetensors")
    assert second.model(1)[1].licence == "MIT"


def test_a_run_of_other_settings_is_not_resumed(case, tmp_path):
    train(case.run(steps=1), case.clips(), tmp_path)
    with pytest.raises(SettingError, match="clip_norm"):
        train(case.run(steps=2, clip_norm=1.0), case.clips(), tmp_path, resume=True)


def test_a_picture_shows_input_output_and_target(case, batch):
    assert contact_sheet(*case.run().sample(batch)).shape == (3, 2 * 64, 3 * 64)
