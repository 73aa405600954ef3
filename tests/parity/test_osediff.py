"""The paper-sized network with OSEDiff's weights gives OSEDiff's output."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from parity.published import assert_reproduces, deterministic

from vsr_core.architectures.os_diffvsr import PAPER
from vsr_core.architectures.os_diffvsr.network import OSDiffVSR, one_step
from vsr_core.architectures.os_diffvsr.restorer import OSDiffVSRRestorer
from vsr_core.checkpoints.lora import merge
from vsr_core.checkpoints.strict import assign

DATA = Path(__file__).parents[1] / "data"
KEYS = json.loads((DATA / "osediff_keys.json").read_text())
REFERENCE = {name: torch.from_numpy(value) for name, value in np.load(DATA / "osediff_reference.npz").items()}


def merged(part: str) -> dict[str, torch.Tensor]:
    """Return the base model's tensors with OSEDiff's LoRA merged in; drawn under the names they have beside it."""
    lora = KEYS["osediff_pkl"][f"state_dict_{part}"]
    adapted = {name.split(".lora_A.")[0] for name in lora if ".lora_A." in name}

    def name_beside_lora(name: str) -> str:
        module, kind = name.rsplit(".", 1)
        return f"{module}.base_layer.{kind}" if module in adapted else name

    base = {
        name: deterministic(f"{part}.{name_beside_lora(name)}", shape) for name, shape in KEYS["base"][part].items()
    }
    return merge(base, {name: deterministic(f"{part}.{name}", shape) for name, shape in lora.items()})


@pytest.fixture(scope="module")
def network():
    tensors = {f"{part}.{name}": value for part in ("unet", "vae") for name, value in merged(part).items()}
    with torch.device("meta"):
        network = OSDiffVSR(PAPER)
    tensors |= {
        name: torch.zeros(value.shape) for name, value in network.state_dict().items() if name.startswith("fusion.")
    }
    tensors["prompt"] = REFERENCE["prompt_embeds"][0]
    return assign(network, tensors, "reference").eval().requires_grad_(False)


@pytest.mark.slow
def test_osediff_weights_reproduce_osediff(network):
    parts, scale = network.parts(), PAPER.latent_scale
    mean = parts["encoder"](REFERENCE["lq"])[:, : PAPER.latent_channels]
    assert_reproduces(mean * scale, REFERENCE["latent_mean"])
    assert_reproduces(parts["denoiser"](mean * scale), REFERENCE["eps"])
    clean = one_step(parts["denoiser"], mean, PAPER)
    assert_reproduces(clean * scale, REFERENCE["x0"])
    assert_reproduces(parts["decoder"](clean), REFERENCE["sr_unclamped"])
    # The restorer merges enlargement and convolution, in channels-last memory. Its UNet needs multiples of 8 cells.
    restorer = OSDiffVSRRestorer(network)
    assert_reproduces(restorer.decode(clean, REFERENCE["lq"][..., ::4, ::4]) * 2 - 1, REFERENCE["sr_unclamped"])
    assert_reproduces(restorer.parts["encoder"](REFERENCE["lq"])[:, : PAPER.latent_channels], mean)
