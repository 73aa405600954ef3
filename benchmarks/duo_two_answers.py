"""Let DUO-VSR's stages learn a world where every input has two answers, and see what one step gives after each.

    python benchmarks/duo_two_answers.py [--quick]

In place of video there are latents: of an input x the true one is 0.3 x + 0.9 d or 0.3 x - 0.9 d, with a fixed pattern
d of 1 and -1, and nothing in x tells which. A model that has learnt it gives one or the other, as noise decides; what
minimises an error gives their mean, as blurred pictures are. The stages are those of `vsr_core/training/duo_vsr` in
every line, on a network of seconds and without its autoencoder. Stage III is told to prefer the first answer.

`decided` is the mean of |c|, where c d is what is found of d: 1 = one of the answers, 0 = between them. `first` is the
share with c > 0; true ones have 0.5.
"""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from vsr_core.architectures.duo_vsr.config import TINY  # noqa: E402
from vsr_core.architectures.duo_vsr.network import DuoVSR  # noqa: E402
from vsr_core.architectures.duo_vsr.prompt import no_prompt  # noqa: E402
from vsr_core.schedulers.rectified_flow import euler  # noqa: E402
from vsr_core.training.duo_vsr import base, stage1, stage2, stage3  # noqa: E402
from vsr_core.training.duo_vsr.start import Start  # noqa: E402
from vsr_core.training.duo_vsr.velocity import Velocity, one_step  # noqa: E402
from vsr_core.training.processes import accelerator  # noqa: E402

NETWORK = replace(TINY, heads=2, head_width=24, ffn_width=128, time_width=32)
SHAPE = (NETWORK.latent_channels, 2, 4, 4)
OF_INPUT, OF_ANSWER = 0.3, 0.9
BATCH, SEEN = 64, 512
CPU = accelerator("cpu", "fp32")
ANSWER = torch.randn(SHAPE, generator=torch.Generator().manual_seed(7)).sign()


class NoAutoencoder:
    """In the place of `Latents`: inputs and targets are latents."""

    def of_pair(self, inputs: Tensor, target: Tensor, draws: int) -> tuple[Tensor, Tensor]:
        return inputs, target


def world(seed: int, count: int = BATCH) -> tuple[Tensor, Tensor]:
    """Return inputs and true latents (count, *SHAPE)."""
    draws = torch.Generator().manual_seed(seed)
    inputs = torch.randn(count, *SHAPE, generator=draws)
    signs = torch.randint(2, (count, 1, 1, 1, 1), generator=draws) * 2 - 1
    return inputs, OF_INPUT * inputs + OF_ANSWER * signs * ANSWER


def found(latents: Tensor, inputs: Tensor) -> Tensor:
    """Return c (N,)."""
    return ((latents - OF_INPUT * inputs) * ANSWER).flatten(1).mean(1) / OF_ANSWER


@torch.no_grad()
def report(name: str, dit: nn.Module, text: Tensor, steps: int, begun: float) -> None:
    velocity = Velocity(dit, NETWORK)
    inputs, _ = world(-1, SEEN)
    noise = torch.randn(inputs.shape, generator=torch.Generator().manual_seed(5))
    latents = euler(lambda noisy, t: velocity(noisy, t, inputs, text), noise, torch.ones(SEEN), 1.0, steps)
    c = found(latents, inputs)
    decided, first, seconds = c.abs().mean(), (c > 0).float().mean(), time.perf_counter() - begun
    print(f"| {name} | {steps} | {decided:.2f} | {first:.2f} | {seconds:.0f} |", flush=True)


def start(dit: nn.Module | None = None) -> Start:
    torch.manual_seed(0)
    network = DuoVSR(NETWORK).requires_grad_(False)
    network.dit.requires_grad_(True)
    if dit is not None:
        network.dit.load_state_dict(dit.state_dict())
    return Start(network=network, source="", licence="")


def learn(stage: Any, steps: int, batch: Callable[[int], Any] = world) -> None:
    """Take the stage through its steps, each of the `batch` of its number."""
    stage.latents = NoAutoencoder()
    for index in range(steps):
        stage.step(batch(index), index)


def settings(module: Any, **changes: Any) -> Any:
    return replace(module.tiny(), network=NETWORK, batch=BATCH, **changes)


def averaged(learner: Any) -> nn.Module:
    """Return what learned, with its averages where it averages weights."""
    learner.network.load_state_dict(learner.weights())
    return learner.network.dit


@torch.no_grad()
def preferred(dit: nn.Module, text: Tensor, seed: int, candidates: int = 5) -> dict[str, Tensor]:
    """Return pairs of answers to the same inputs: that with most and that with least of the first."""
    inputs, _ = world(seed)
    draws, velocity = torch.Generator().manual_seed(seed), Velocity(dit, NETWORK)
    noises = torch.randn(candidates, *inputs.shape, generator=draws)
    latents = torch.stack([one_step(velocity, noise, inputs, text) for noise in noises])
    order = torch.stack([found(each, inputs) for each in latents]).argsort(0)
    items = torch.arange(BATCH)
    return {"z_lr": inputs, "better": latents[order[-1], items], "worse": latents[order[0], items]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the steps")
    share = 10 if parser.parse_args().quick else 1
    begun = time.perf_counter()
    print("| after | steps of it | decided | first | s |\n|---|---|---|---|---|")

    config = settings(base, learning_rate=2e-3, no_text=0.1, ema=0.99)
    flow = base.Base(config, CPU, start())
    learn(flow, 3000 // share)
    teacher, text = averaged(flow.denoiser), flow.text
    for steps in (1, 2, 4, 8, 64):
        report("base", teacher, text, steps, begun)

    every = 200 // share
    config = settings(stage1, guidance_steps=1, guidance=0.0, teacher_steps=64, refresh_every=every, learning_rate=1e-3)
    halved = stage1.Stage1(config, CPU, start(teacher), no_prompt(NETWORK))
    learn(halved, 1 + 6 * every)
    report("stage I", averaged(halved.student), text, 1, begun)

    config = settings(stage2, learning_rate=2e-4, fake_rate=1e-3, head_rate=1e-3, ema=0.9, head_width=16)
    streams = stage2.Stage2(config, CPU, start(halved.student.network.dit), start(teacher))
    learn(streams, 3000 // share)
    student = averaged(streams.student)
    report("stage II", student, text, 1, begun)

    pairs = [preferred(student, text, 10**6 + index) for index in range(200 // share)]
    for beta in (50.0, 5.0):
        config = settings(stage3, learning_rate=1e-4, beta=beta)
        refined = stage3.Stage3(config, CPU, start(student))
        learn(refined, len(pairs), pairs.__getitem__)
        report(f"stage III, beta {beta:g}", averaged(refined.student), text, 1, begun)


if __name__ == "__main__":
    main()
