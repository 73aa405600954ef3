"""A network with Wan2.1's weights gives what Wan2.1's own code gives."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from parity.published import assert_reproduces, deterministic

from vsr_core.architectures.duo_vsr import PAPER
from vsr_core.architectures.duo_vsr.denoiser import Denoiser, build_dit
from vsr_core.architectures.duo_vsr.network import as_video, frames_of
from vsr_core.architectures.duo_vsr.wan_files import diffusers_names
from vsr_core.architectures.duo_vsr.wan_keys import official_dit_name
from vsr_core.checkpoints.strict import assign

DATA = Path(__file__).parents[1] / "data"
REFERENCE = {name: torch.from_numpy(value) for name, value in np.load(DATA / "wan21_reference.npz").items()}
CONFIG = replace(PAPER, layers=3, heads=2, ffn_width=512, prompt_width=64, prompt_tokens=16)


def test_wans_weights_reproduce_wans_velocity():
    with torch.device("meta"):
        dit = build_dit(CONFIG)
    names = {official_dit_name(name): list(value.shape) for name, value in dit.state_dict().items()}
    official = {name: deterministic(f"dit.{name}", shape) for name, shape in names.items()}
    assign(dit, diffusers_names(official, dit.state_dict(), official_dit_name, "reference"), "reference")
    prompt = torch.nn.Parameter(torch.zeros(16, 64))
    denoiser = Denoiser(dit.eval(), prompt).requires_grad_(False)
    both = as_video(torch.cat([REFERENCE["noise"], REFERENCE["lr"]], 1))
    assert_reproduces(frames_of(denoiser(both, REFERENCE["text"][None])), REFERENCE["velocity"])
