"""A network is saved, recognised, loaded and gives the same frames."""

import pytest
import torch
from restorers import random_clip, tiny_network, tiny_restorer
from tolerances import TOLERANCE

from vsr_core.architectures.adc_vsr import PAPER, SMALL, TINY
from vsr_core.architectures.adc_vsr.restorer import AdcVSRRestorer, requirements
from vsr_core.checkpoints.header import read_header
from vsr_core.checkpoints.metadata import Metadata, config_from_json, config_to_json
from vsr_core.checkpoints.write import write_model
from vsr_core.load import cast, identify, load_restorer


def frames_of(restorer, clip: torch.Tensor) -> torch.Tensor:
    return restorer.decode(restorer.step(restorer.encode(clip)), clip)


def saved(folder, network, dtype=torch.float32):
    metadata = Metadata(architecture="adc_vsr", config=config_to_json(network.config), source="random")
    return write_model(folder / "model.safetensors", network.state_dict(), metadata, dtype=dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_a_saved_network_is_recognised_loaded_and_gives_the_same_frames(tmp_path, dtype):
    network = tiny_network()
    path = saved(tmp_path, network, dtype)
    metadata = identify(read_header(path))
    restorer = load_restorer(path)
    assert metadata.architecture == restorer.architecture == "adc_vsr"
    assert config_from_json(type(TINY), metadata.config) == restorer.config == TINY
    clip = random_clip(3)
    expected = frames_of(AdcVSRRestorer(network), clip)
    assert torch.allclose(frames_of(cast(restorer, torch.float32), clip), expected, atol=TOLERANCE[dtype])


def test_a_loaded_network_asks_for_no_gradient(tmp_path):
    restorer = load_restorer(saved(tmp_path, tiny_network()))
    assert not any(value.requires_grad for part in restorer.parts.values() for value in part.parameters())


def test_the_restorer_computes_what_the_network_computes():
    network, clip = tiny_network(), random_clip(4, 16, 24)
    whole = (network(clip[None] * 2 - 1).frames[0] + 1) / 2
    assert torch.allclose(frames_of(AdcVSRRestorer(network), clip), whole, atol=1e-5)


@pytest.mark.parametrize("config", [PAPER, SMALL, TINY])
def test_requirements_fit_each_other(config):
    needs = requirements(config)
    assert needs.overlap < needs.window
    assert needs.multiple % needs.latent_stride == 0
    assert (
        needs.min_tile % needs.multiple == needs.max_tile % needs.multiple == needs.tile_overlap % needs.multiple == 0
    )


@pytest.mark.parametrize("stage", ["step", "decode"])
def test_the_memory_estimate_grows_with_everything(stage):
    restorer = tiny_restorer()
    least = restorer.memory_bytes(stage, 2, 16, 16, torch.float16)
    assert 0 < least < restorer.memory_bytes(stage, 3, 16, 16, torch.float16)
    assert least < restorer.memory_bytes(stage, 2, 32, 16, torch.float16)
    assert least < restorer.memory_bytes(stage, 2, 16, 32, torch.float16)
    assert 2 * least == restorer.memory_bytes(stage, 2, 16, 16, torch.float32)


def test_every_stage_computes_with_parts_that_there_are():
    restorer = tiny_restorer()
    named = {name for names in restorer.stage_parts.values() for name in names}
    assert named == set(restorer.parts)
