"""Adjacent-frame adversarial training: what learns from what, and what comes out of it."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from restorers import random_clip
from safetensors.torch import load_file
from torch import nn
from training.runs import CPU, exported, first_batch, moved, same_model, shortened, weights_before
from training.runs import run as train

from vsr_core.architectures.os_diffvsr import PAPER, SMALL, TINY
from vsr_core.architectures.os_diffvsr.network import OSDiffVSR
from vsr_core.checkpoints.header import read_header
from vsr_core.checkpoints.metadata import Metadata, config_to_json, from_text
from vsr_core.checkpoints.write import write_model
from vsr_core.contract import FusionSettings
from vsr_core.degradations import REAL_ESRGAN
from vsr_core.errors import CheckpointError, SettingError
from vsr_core.flow import align, estimator
from vsr_core.load import cast, load_restorer
from vsr_core.models import built_in
from vsr_core.training.contact_sheet import contact_sheet
from vsr_core.training.os_diffvsr.adjacent_frame import (
    AdjacentFrame,
    Weights,
    build,
    dataset,
    paper,
    small,
    tiny,
)
from vsr_core.training.os_diffvsr.generator import choose_weights, initialise, model_weights
from vsr_core.training.recipes import recipe

pytest.importorskip("transformers", reason="DINOv2 is transformers'")
PUBLISHED = json.loads((Path(__file__).parents[2] / "data/osediff_keys.json").read_text())


def run(init: Path | None = None, **changes) -> AdjacentFrame:
    return build(replace(tiny(), **changes), CPU, init=init)


@pytest.fixture(scope="module")
def batch() -> tuple[torch.Tensor, torch.Tensor]:
    return first_batch(dataset(tiny(), None))


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    """Return a model file with weights that no run has."""
    torch.manual_seed(7)
    metadata = Metadata(
        architecture="os_diffvsr", config=config_to_json(TINY), source="a test", licence="CreativeML Open RAIL++-M"
    )
    path = tmp_path_factory.mktemp("model") / "converted.safetensors"
    return write_model(path, OSDiffVSR(TINY).state_dict(), metadata)


def learning(network: nn.Module) -> set[str]:
    return {name for name, value in network.named_parameters() if value.requires_grad}


def test_the_loss_falls(batch):
    stage = run(steps=12)
    figures = [stage.step(batch, index) for index in range(12)]
    assert figures[-1]["loss"] < figures[0]["loss"] - 0.3
    assert figures[-1]["psnr"] > figures[0]["psnr"] + 1


def test_the_generators_step_moves_adapters_and_fusion_and_the_discriminators_all_of_dinov2(batch):
    stage = run(weight_decay=0.0, discriminator_rate=100.0, tau=1.0, network=replace(TINY, mu=0.0))
    generator, discriminator = stage.generator.network, stage.discriminator.network
    before = weights_before(generator, discriminator)
    adapters = {name for name in before[0] if ".lora_" in name}
    assert {name.split(".")[0] for name in adapters} == {"unet", "vae"}
    assert not any("decoder" in name for name in adapters if name.startswith("vae."))
    for index in range(3):
        stage.step(batch, index)
    assert moved(generator, before[0]) == adapters | {"fusion.to_q.weight", "fusion.to_k.weight"}
    assert moved(discriminator, before[1]) == before[1].keys() - {"backbone.embeddings.mask_token"}


def test_neither_loss_reaches_the_other_network(batch):
    """A rate of 0 keeps one of the two still; the other learns from its own loss all the same."""
    for still, rates in (("generator", {"learning_rate": 0.0}), ("discriminator", {"discriminator_rate": 0.0})):
        stage = run(**rates)
        networks = {"generator": stage.generator.network, "discriminator": stage.discriminator.network}
        before = dict(zip(networks, weights_before(*networks.values())))
        stage.step(batch, 0)
        for name, network in networks.items():
            assert bool(moved(network, before[name])) == (name != still)
            assert all(value.grad is None for value in network.parameters())


@pytest.mark.parametrize("changes", [{}, {"rank": 0, "decoder": True}])
def test_everything_that_learns_takes_part_in_its_loss(batch, changes):
    """Else a run on several processes waits for gradients that never come."""
    stage, seen = run(**changes), set()
    for which, learner in stage.stateful.items():
        for name in learning(learner.network):
            learner.network.get_parameter(name).register_hook(lambda grad, name=f"{which} {name}": seen.add(name))
    stage.step(batch, 0)
    expected = {f"{which} {name}" for which, learner in stage.stateful.items() for name in learning(learner.network)}
    assert seen == expected


def test_without_adapters_the_whole_generator_learns_but_for_the_prompt_and_as_told_the_decoder():
    parts = {"fusion", "unet", "vae.encoder", "vae.quant_conv"}
    for decoder, expected in ((False, parts), (True, parts | {"vae.decoder", "vae.post_quant_conv"})):
        network = OSDiffVSR(TINY)
        choose_weights(network, rank=0, decoder=decoder)
        wanted = {name for name, _ in network.named_parameters() if name.startswith(tuple(expected))}
        assert learning(network) == wanted


def test_adapters_are_where_osediffs_are():
    with torch.device("meta"):
        network = OSDiffVSR(PAPER)
        choose_weights(network, rank=4, decoder=False)
    expected = {
        f"{part}.{name.replace('.default_encoder', '').replace('.default_decoder', '').replace('.default_others', '')}"
        for part in ("unet", "vae")
        for name in PUBLISHED["osediff_pkl"][f"state_dict_{part}"]
        if ".lora_" in name
    }
    assert {name for name in learning(network) if not name.startswith("fusion.")} == expected


def test_adapters_leave_a_model_as_it_is_until_they_learn_and_merge_into_the_same(model, batch):
    plain, adapted, other = OSDiffVSR(TINY), OSDiffVSR(TINY), OSDiffVSR(TINY)
    for network in (plain, adapted):
        initialise(network, model)
    choose_weights(adapted, rank=4, decoder=False)
    clip = batch[0][0]
    aligned = align(clip, estimator(tiny().flow))
    with torch.no_grad():
        assert (adapted(clip, aligned) - plain(clip, aligned)).abs().max() < 1e-4
        for name, value in adapted.named_parameters():
            if ".lora_" in name:
                nn.init.normal_(value, std=0.1)
        assert (adapted(clip, aligned) - plain(clip, aligned)).abs().max() > 0.1
        other.load_state_dict(model_weights(adapted.state_dict()))
        assert (adapted(clip, aligned) - other(clip, aligned)).abs().max() < 1e-3


def test_the_run_starts_as_the_model_it_is_given(model):
    weights, _ = run(init=model).model(0)
    expected = load_file(model)
    assert weights.keys() == expected.keys()
    assert all(torch.equal(weights[name], expected[name]) for name in expected)


def test_a_model_that_does_not_fit_is_refused(model):
    with pytest.raises(CheckpointError, match="converted.safetensors does not fit"):
        run(init=model, network=replace(TINY, layers=2))


def test_the_exported_model_has_merged_adapters_and_restores_as_the_student_does(tmp_path, batch, model):
    stage = run(init=model)
    for index in range(3):
        stage.step(batch, index)
    path = exported(stage, tmp_path / "model.safetensors")
    metadata = from_text(read_header(path).metadata)
    assert metadata.licence == "CreativeML Open RAIL++-M"
    assert metadata.source.endswith("of: a test")
    clip, settings = random_clip(3), FusionSettings()
    aligned = align(clip, estimator(tiny().flow))
    restorer = cast(load_restorer(path), torch.float32)
    with torch.no_grad():
        fused = restorer.fusion.fuse(
            restorer.encode(restorer.fusion.sources(clip, aligned, settings)), aligned, settings, None
        )
        found = restorer.decode(restorer.step(fused), clip)
        frames = (stage.generator.network(clip, aligned) + 1) / 2
        assert (found - frames).abs().max() < 0.01
        before = OSDiffVSR(TINY)
        initialise(before, model)
        assert (frames - (before(clip, aligned) + 1) / 2).abs().max() > 0.15


def test_averaged_adapters_are_the_ones_that_are_merged(batch):
    stage = run(ema=0.9)
    for index in range(3):
        stage.step(batch, index)
    weights, _ = stage.model(3)
    expected = model_weights({**stage.generator.network.state_dict(), **stage.generator.ema.average})
    assert all(torch.equal(weights[name], expected[name]) for name in expected)
    plain = model_weights(stage.generator.network.state_dict())
    assert not torch.equal(weights["unet.conv_in.weight"], plain["unet.conv_in.weight"])


@pytest.mark.parametrize("changes", [{}, {"rank": 0, "ema": 0.9, "clip_norm": 1.0}])
def test_resuming_equals_not_stopping(tmp_path, changes):
    changes = {"steps": 4, **changes}
    data = dataset(tiny(), None)
    whole, resumed = run(**changes), run(**changes)
    first = train(whole, data, tmp_path / "whole")
    train(shortened(run(**changes), 2), data, tmp_path / "resumed")
    assert same_model(train(resumed, data, tmp_path / "resumed", resume=True), first)
    critics = (stage.discriminator.weights() for stage in (whole, resumed))
    assert all(torch.equal(value, other) for value, other in zip(*(critic.values() for critic in critics)))


def test_recomputed_activations_change_no_figure(batch):
    kept, recomputed = run(), run(recompute=True)
    for index in range(2):
        expected = kept.step(batch, index)
        assert recomputed.step(batch, index) == pytest.approx(expected, abs=1e-4)


def test_the_frame_before_and_the_frames_own_truth_are_what_the_losses_compare_with(batch):
    """With LPIPS as a spy and a discriminator of plain pixels, the figures are those of frames computed here."""
    pixels = nn.Conv2d(3, 3, 1)
    nn.init.dirac_(pixels.weight)
    nn.init.zeros_(pixels.bias)
    compared = []

    def lpips(restored, real):
        compared.append((restored.detach(), real))
        return (restored - real).square().mean((1, 2, 3), keepdim=True)

    config = replace(tiny(), frames=4, weights=Weights(adversarial=3.0, focal=5.0, lpips=7.0, warp=11.0), tau=0.5)
    clips = first_batch(dataset(config, None))
    stage = AdjacentFrame(config, CPU, discriminator=pixels, flow=estimator(config.flow), lpips=lpips)
    figures = stage.step(clips, 0)
    [(restored, real)] = compared
    frames = clips[1] * 2 - 1
    previous = torch.cat([frames[0, :2], frames[1, :2]])
    assert torch.equal(real, torch.cat([frames[0, 1:3], frames[1, 1:3]]))
    fake, true = (torch.cosine_similarity(previous, other, dim=1) for other in (restored, real))
    assert figures["adversarial"] == pytest.approx(-fake.mean().item(), abs=0.01)
    critic = -torch.log(torch.exp(true / 0.5) / (torch.exp(true / 0.5) + torch.exp(fake / 0.5)))
    assert figures["discriminator"] == pytest.approx(critic.mean().item(), abs=0.01)
    terms = [figures[name] for name in ("adversarial", "focal", "lpips", "warp")]
    assert figures["loss"] == pytest.approx(sum(w * term for w, term in zip((3, 5, 7, 11), terms)), rel=1e-4)


def test_the_papers_run_has_the_papers_values():
    config = paper()
    assert config.weights == Weights(adversarial=1, focal=1, lpips=2, warp=2)
    assert (config.network, config.rank, config.batch, config.size, config.tau) == (PAPER, 32, 8, 512, 100)
    assert (config.learning_rate, config.weight_decay) == (1e-5, 1e-8)
    assert config.steps == 150 * 266 * 100 // 8
    assert config.degradation == REAL_ESRGAN
    assert (config.flow, config.decoder, config.ema) == ("raft", False, 0.0)


def test_the_discriminators_rate_rises_over_its_warm_up_and_the_generators_is_the_same_throughout(batch):
    stage = run(discriminator_rate=5e-4, warmup=500)
    rates = []
    for index in (0, 249, 499, 9_000):
        stage.step(batch, index)
        rates.append([learner.optimizer.param_groups[0]["lr"] for learner in stage.stateful.values()])
    assert rates == [pytest.approx([5e-3, rate]) for rate in (1e-6, 2.5e-4, 5e-4, 5e-4)]
    assert isinstance(stage.generator.optimizer, torch.optim.AdamW)
    assert isinstance(stage.discriminator.optimizer, torch.optim.SGD)


@pytest.mark.parametrize("config, missing", [(paper, "--init and --dinov2"), (small, "--init")])
def test_files_that_a_run_needs_are_asked_for_by_name(config, missing):
    with pytest.raises(SettingError, match=f"give {missing}"):
        build(config(), CPU)


def test_the_papers_run_asks_for_rafts_weights(tmp_path, model):
    with pytest.raises(SettingError, match="raft needs a weights file"):
        build(replace(tiny(), flow="raft"), CPU)


def test_the_small_run_starts_from_the_built_in_model():
    config = small()
    assert config.network == SMALL
    initialise(OSDiffVSR(config.network), built_in()["osdiffvsr-small"])


def test_at_first_the_discriminator_is_undecided(batch):
    assert run().step(batch, 0)["discriminator"] == pytest.approx(math.log(2), abs=0.01)


def test_a_picture_shows_input_output_and_target(batch):
    assert contact_sheet(*run().sample(batch)).shape == (3, 2 * 64, 3 * 64)


def test_the_recipe_is_found_by_its_name():
    assert recipe("os_diffvsr/adjacent_frame").build is build
