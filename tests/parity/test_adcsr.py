"""The paper-sized network with AdcSR's weights gives AdcSR's output."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from parity.published import assert_reproduces, deterministic

from vsr_core.architectures.adc_vsr import PAPER, build
from vsr_core.architectures.adc_vsr.convert import translate
from vsr_core.architectures.adc_vsr.network import AdcVSR

DATA = Path(__file__).parents[1] / "data"


def published(file: str, prefix: str, rename: str) -> dict[str, torch.Tensor]:
    shapes = json.loads((DATA / file).read_text())
    return {
        rename + name: deterministic(prefix + name, shape)
        for name, shape in shapes.items()
        if not name.startswith("body.1.body.")
    }


@pytest.fixture(scope="module")
def restorer():
    network = published("adcsr_net_keys.json", "net.", "module.")
    decoder = published("adcsr_halfdecoder_keys.json", "decoder.", "decoder.")
    tensors = translate(network, decoder, PAPER)
    with torch.device("meta"):
        expected = AdcVSR(PAPER).state_dict()
    for name, value in expected.items():
        if "_temporal." in name:
            tensors[name] = torch.zeros(value.shape) if ".conv2." in name else torch.randn(value.shape) * 0.01
    return build(PAPER, tensors, "reference")


@pytest.mark.slow
def test_adcsr_weights_with_zero_initialised_temporal_blocks_reproduce_adcsr(restorer):
    reference = np.load(DATA / "adcsr_reference.npz")
    lr, mid, sr = (torch.from_numpy(reference[name]) for name in ("lr", "mid", "sr"))
    decoder = restorer.parts["decoder"]
    with torch.no_grad():
        features = restorer.step(restorer.encode((lr + 1) / 2))
        middle = decoder.middle(features)
        frames = decoder.tail(middle)
    assert_reproduces(middle, mid)
    assert_reproduces(frames, sr)
    assert torch.allclose(restorer.decode(features, (lr + 1) / 2), (sr + 1) / 2, atol=1e-3)
