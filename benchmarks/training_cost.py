"""Count what a step of every paper-size recipe computes, and what its weights take, without computing any of it.

    python benchmarks/training_cost.py [--gpus 8] [--tflops 326]

Networks are built without memory, and PyTorch counts the operations of one pass. A pass backward counts twice, or once
where only gradients of inputs are wanted; a learning network of these sizes keeps no activations and runs once more.
Time is arithmetic: operations by `--tflops` per GPU, by default what AdcVSR's authors reached on an H20 (25 frames of
512x512 in 0.55 s, section 4.2), a third of its peak, as a third of an H100's 989.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from vsr_core.architectures.adc_vsr import config as adc_vsr  # noqa: E402
from vsr_core.architectures.adc_vsr.network import AdcVSR  # noqa: E402
from vsr_core.architectures.duo_vsr import config as duo_vsr  # noqa: E402
from vsr_core.architectures.duo_vsr.network import DuoVSR  # noqa: E402
from vsr_core.architectures.os_diffvsr import config as os_diffvsr  # noqa: E402
from vsr_core.architectures.os_diffvsr.network import OSDiffVSR  # noqa: E402
from vsr_core.metrics.dists import DISTS  # noqa: E402
from vsr_core.training.adc_vsr.convnext import ConvNeXt  # noqa: E402
from vsr_core.training.duo_vsr.velocity import Velocity  # noqa: E402
from vsr_core.training.recipes import recipe  # noqa: E402

SIDE = 512
LEARNS, PASSES_ON, ONLY_RUNS = 4, 2, 1
"""Passes: forward, once more, and twice backward; forward and backward to the inputs; forward."""
ADAM, KEPT = 16, 4
"""Bytes per weight: with its gradient and two averages; alone."""


@dataclass(frozen=True)
class Part:
    """A network in a step: operations of one pass for an item, how many passes, its weights, and if they learn."""

    name: str
    operations: float
    passes: float
    weights: int
    learns: bool = False


def operations(run: Callable[[], object]) -> int:
    """Return the floating-point operations of `run`, a multiplication and an addition counting as two."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        run()
    return counter.get_total_flops()


def count(network: nn.Module) -> int:
    """Return how many weights a network has."""
    return sum(value.numel() for value in network.parameters())


def adc_vsr_stages() -> Iterator[tuple[str, list[Part]]]:
    """Count 25 frames; the teacher's clips are there already."""
    frames = recipe("adc_vsr/stage1").paper().frames
    student = AdcVSR(adc_vsr.PAPER).requires_grad_(False)
    encoder = OSDiffVSR(os_diffvsr.PAPER).requires_grad_(False).parts()["encoder"]
    dists, convnext = DISTS(), ConvNeXt(widths=(384, 768, 1536), depths=(3, 4, 30))
    clip, pictures = torch.empty(1, frames, 3, SIDE // 4, SIDE // 4), torch.empty(1, 3, SIDE, SIDE)
    restored, vgg = operations(lambda: student(clip)), frames * operations(lambda: dists.features(pictures))
    feature = frames * operations(lambda: encoder(pictures))
    halved = torch.empty(frames, 3 * adc_vsr.PAPER.unshuffle**2, SIDE // 8, SIDE // 8)
    denoiser = operations(lambda: student.denoiser(halved, frames))
    seen = operations(lambda: convnext(pictures))
    first = [
        Part("AdcVSR", restored, LEARNS, count(student), True),
        Part("DISTS", vgg, PASSES_ON + ONLY_RUNS, count(dists)),
        Part("VAE encoder", feature, ONLY_RUNS, count(encoder)),
    ]
    judged = 4 * frames + 1  # of the student's, a video, an image and images: every frame passes the backbone once
    second = [
        *first,
        Part("VAE encoder, real frames", feature, (judged - frames) / frames, 0),
        Part("ConvNeXt", seen, PASSES_ON * frames + ONLY_RUNS * judged, count(convnext)),
        Part("UNet as backbone", denoiser / frames, PASSES_ON * frames + ONLY_RUNS * judged, count(student.denoiser)),
    ]
    yield "adc_vsr/stage1", first
    yield "adc_vsr/stage2", second


def os_diffvsr_stages() -> Iterator[tuple[str, list[Part]]]:
    """Count one frame with two neighbours; DINOv2-S is counted by its size."""
    network = OSDiffVSR(os_diffvsr.PAPER).requires_grad_(False)
    parts, picture = network.parts(), torch.empty(1, 3, SIDE, SIDE)
    latent = torch.empty(1, os_diffvsr.PAPER.latent_channels, SIDE // 8, SIDE // 8)
    weights, patches = 22_000_000, (518 // 14) ** 2
    yield (
        "os_diffvsr/adjacent_frame",
        [
            Part("VAE encoder", operations(lambda: parts["encoder"](picture)), 3 * LEARNS, count(parts["encoder"])),
            Part("UNet", operations(lambda: parts["denoiser"](latent)), LEARNS, count(parts["denoiser"])),
            Part("VAE decoder", operations(lambda: parts["decoder"](latent)), PASSES_ON + 1, count(parts["decoder"])),
            Part("DINOv2-S", 2 * weights * patches, PASSES_ON + ONLY_RUNS + 3 * 3, weights, True),
        ],
    )


def duo_vsr_stages() -> Iterator[tuple[str, list[Part]]]:
    """Count 21 frames; a step of stage II is one update, three of four of them auxiliary."""
    config = duo_vsr.PAPER
    frames = recipe("duo_vsr/stage1").paper().frames
    network = DuoVSR(config).requires_grad_(False)
    latent = torch.empty(1, config.latent_channels, (frames - 1) // 4 + 1, SIDE // 8, SIDE // 8)
    velocity, encoder = Velocity(network.dit, config), network.parts()["encoder"]
    text = torch.empty(1, config.prompt_tokens, config.prompt_width)
    dit = operations(lambda: velocity(latent, torch.empty(1), latent, text))
    encoded = operations(lambda: encoder(torch.empty(1, 3, frames, SIDE, SIDE)))
    weights = count(network.dit)
    vae = Part("VAE encoder", encoded, 2 * ONLY_RUNS, count(encoder))
    yield (
        "duo_vsr/stage1",
        [
            vae,
            Part("student", dit, LEARNS, weights, True),
            Part("teacher", dit, 2 * ONLY_RUNS, weights),
        ],
    )
    yield (
        "duo_vsr/stage2",
        [
            vae,
            Part("student", dit, 0.75 * ONLY_RUNS + 0.25 * LEARNS, weights, True),
            Part("fake score", dit, 0.75 * (LEARNS + ONLY_RUNS) + 0.25 * (PASSES_ON + 2 * ONLY_RUNS), weights, True),
            Part("real score", dit, 0.75 * 2 * ONLY_RUNS + 0.25 * (PASSES_ON + 2 * ONLY_RUNS), weights),
        ],
    )
    yield (
        "duo_vsr/stage3",
        [
            Part("student, both of a pair", dit, 2 * LEARNS, weights, True),
            Part("stage II's model", dit, 2 * ONLY_RUNS, weights),
        ],
    )


def row(name: str, parts: list[Part], gpus: int, tflops: float) -> str:
    """Return a line of the table."""
    config = recipe(name).paper()
    work = sum(part.operations * part.passes for part in parts) / 1e12
    weights = sum(part.weights * (ADAM if part.learns else KEPT) for part in parts) / 1e9
    seconds = work * max(1, config.batch // gpus) / tflops
    hours = seconds * config.steps / 3600
    return f"| {name} | {work:.0f} | {weights:.0f} | {seconds:.2f} | {config.steps:,} | {hours:.0f} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gpus", type=int, default=8)
    parser.add_argument("--tflops", type=float, default=326.0, help="10^12 operations per second and GPU")
    arguments = parser.parse_args()
    print(f"{arguments.gpus} GPUs of {arguments.tflops:g} TFLOP/s; an item is a clip, or a frame for OS-DiffVSR.\n")
    print("| recipe | TFLOP per item | GB of weights and Adam | s per step | steps | hours |")
    print("|---|---|---|---|---|---|")
    with torch.device("meta"):
        for stages in (adc_vsr_stages, os_diffvsr_stages, duo_vsr_stages):
            for name, parts in stages():
                print(row(name, parts, arguments.gpus, arguments.tflops), flush=True)


if __name__ == "__main__":
    main()
