"""What the tests of DUO-VSR's stages share."""

from pathlib import Path
from typing import Any

import torch
from restorers import random_clip
from training.runs import exported

from vsr_core.load import cast, load_restorer
from vsr_core.schedulers.noise import frame_noise
from vsr_core.training.duo_vsr.start import Start
from vsr_core.training.learner import Learner


def learned(learner: Learner) -> set[str]:
    """Return the names of the weights that Adam has seen a gradient of that is not zero."""
    state = learner.optimizer.state
    named = learner.network.named_parameters()
    return {name for name, value in named if value in state and state[value]["exp_avg"].any()}


def same_frames(recipe: Any, begun: Start, path: Path) -> bool:
    """Tell whether the exported model restores as the network in training does, up to the file's float16."""
    restorer = cast(load_restorer(exported(recipe, path)), torch.float32)
    clip = random_clip(5)
    noise = frame_noise((begun.network.config.latent_channels, 8, 8), 0, range(2))
    with torch.no_grad():
        found = restorer.decode(restorer.step(restorer.encode(clip), noise=noise), clip)
        expected = (begun.network(clip, noise) + 1) / 2
    return bool((found - expected).abs().max() < 0.01)
