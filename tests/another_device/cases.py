"""Run every model and every recipe on the CPU and on the pretended device; print what came out as JSON."""

import json
import sys
import traceback
from contextlib import nullcontext
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import default_collate

sys.path[:0] = [str(Path(__file__).resolve().parents[level]) for level in (0, 1, 2)]

from accelerate import Accelerator  # noqa: E402
from pretended import NAME, pretended_device  # noqa: E402
from restorers import random_clip, tiny_fusing_restorer, tiny_restorer  # noqa: E402

from vsr_core.architectures import duo_vsr  # noqa: E402
from vsr_core.architectures.duo_vsr.network import DuoVSR  # noqa: E402
from vsr_core.architectures.duo_vsr.restorer import DuoVSRRestorer  # noqa: E402
from vsr_core.contract import Restorer  # noqa: E402
from vsr_core.restore import Settings, restore  # noqa: E402
from vsr_core.runtime import StandaloneRuntime  # noqa: E402
from vsr_core.tiling import Tiling  # noqa: E402
from vsr_core.training.contact_sheet import contact_sheet  # noqa: E402
from vsr_core.training.recipes import RECIPES, recipe  # noqa: E402

TILES = Tiling(tile=16, tile_overlap=8)
SETTINGS = {"whole": Settings(color="adain"), "tiles": Settings(tiling=TILES, color="wavelet")}
STEPS = 2


class OnDevice(Accelerator):
    """One process in float32, on the device of choice."""

    def __init__(self, device: str):
        super().__init__(cpu=True, mixed_precision="no")
        self._device = torch.device(device)

    @property
    def device(self) -> torch.device:
        return self._device

    def autocast(self, *args, **kwargs):
        return nullcontext()

    def prepare(self, *parts, **kwargs):
        return tuple(part.to(self.device) if isinstance(part, nn.Module) else part for part in parts)

    def unwrap_model(self, model: nn.Module, **kwargs) -> nn.Module:
        return model


def tiny_duo_vsr() -> DuoVSRRestorer:
    torch.manual_seed(0)
    return DuoVSRRestorer(DuoVSR(duo_vsr.TINY).eval().requires_grad_(False))


MODELS = {"adc_vsr": tiny_restorer, "os_diffvsr": tiny_fusing_restorer, "duo_vsr": tiny_duo_vsr}


def restored(restorer: Restorer, settings: Settings, device: str) -> list[float]:
    """Return the restored pixels of a clip that stays on the CPU."""
    runtime = StandaloneRuntime("cpu", "fp32")
    runtime.device = torch.device(device)
    frames = torch.cat([part.cpu() for part in restore(random_clip(7, 32, 40), restorer, runtime, settings, total=7)])
    return frames.flatten().tolist()


def trained(name: str, device: str) -> list[float]:
    """Return the losses of the first steps of a recipe, after everything else that a run does in a step."""
    module = recipe(name)
    config = module.tiny()
    data, run = module.dataset(config, None), module.build(config, OnDevice(device))
    losses = []
    for step in range(STEPS):
        batch = default_collate([data[step * config.batch + item] for item in range(config.batch)])
        losses += run.step(batch, step).values()
    contact_sheet(*run.sample(batch))
    for weights in run.model(STEPS)[0].values():
        weights.half().cpu()
    return losses


CASES = {f"{name}, {way}": (restored, (make, SETTINGS[way])) for name, make in MODELS.items() for way in SETTINGS} | {
    name: (trained, (name,)) for name in RECIPES
}


def main() -> None:
    """Print {case: [result on the CPU, result there or what was raised]}."""
    torch.set_num_threads(1)  # many small operations, for which threads that wait for a busy core take minutes
    found = {}
    for case, (run, arguments) in CASES.items():
        # A restorer is made where it runs, as its parts move.
        found[case] = [run(*made(arguments), "cpu")]
    with pretended_device():
        for case, (run, arguments) in CASES.items():
            try:
                found[case].append(run(*made(arguments), NAME))
            except Exception:
                found[case].append(traceback.format_exc())
    print(json.dumps(found))


def made(arguments: tuple) -> list:
    return [each() if callable(each) else each for each in arguments]


if __name__ == "__main__":
    main()
