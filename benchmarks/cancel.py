"""Measure how long ComfyUI takes to stop after Cancel, beside the time of one tile.

    OMP_NUM_THREADS=1 PYTHONPATH=tests python benchmarks/cancel.py [VIDEO] [--model NAME] [--window 0] [--times 10]

Queues a shipped graph on a real ComfyUI server (the one of the tests; COMFYUI_PATH is honoured), asks for
/interrupt at random moments while a node runs, and waits for `execution_interrupted`.
"""

import argparse
import json
import random
import tempfile
import threading
import time
from itertools import islice, pairwise
from pathlib import Path
from statistics import median

import torch
from comfyui.client import Run
from comfyui.server import ComfyUIServer, running_server
from comfyui.tree import get_comfyui

from vsr_core.load import cast, load_restorer
from vsr_core.models import DEFAULT, built_in
from vsr_core.restore import Settings, decode, upscale
from vsr_core.runtime import StandaloneRuntime
from vsr_core.tiling import Tiling
from vsr_core.video import read_frames

WORKFLOWS = Path(__file__).resolve().parents[1] / "workflows"
FRAMES = 15
"""Of the video, to measure tiles on."""
LONGEST_WAIT = 3.0
"""Seconds after a node's first report of progress up to which Cancel may come."""


class Timed(StandaloneRuntime):
    """Notes when it is asked whether to stop, which is before every tile."""

    def __init__(self):
        super().__init__("cpu", "fp32")
        self.moments = []

    def check_stopped(self) -> None:
        self.moments.append(time.monotonic())

    def longest(self) -> float:
        """Return the most seconds from one moment to the next, until now, and forget them."""
        self.check_stopped()
        seconds = max(later - sooner for sooner, later in pairwise(self.moments))
        self.moments.clear()
        return seconds


def main() -> None:
    arguments = _arguments()
    tiles = seconds_per_tile(arguments.video, arguments.model, Tiling(window=arguments.window or None))
    with tempfile.TemporaryDirectory() as folder, running_server(get_comfyui(), Path(folder) / "base") as server:
        stops = seconds_to_stop(server, arguments)
    print("| node | longest tile | Cancel to `execution_interrupted`: median | longest | times |")
    print("|---|---|---|---|---|")
    for name, seen in stops.items():
        figures = [tiles[name], median(seen), max(seen)]
        print(f"| {name} | " + " | ".join(f"{seconds:.2f} s" for seconds in figures) + f" | {len(seen)} |")


@torch.inference_mode()
def seconds_per_tile(video: Path, model: str, tiling: Tiling) -> dict[str, float]:
    """Return the most seconds between two checks in each node, computed here, with what comes between tiles."""
    restorer, runtime, settings = load_restorer(built_in()[model]), Timed(), Settings(tiling=tiling)
    cast(restorer, torch.float32)
    clip = torch.stack([frame.image for frame in islice(read_frames(video), FRAMES)])
    latent = upscale(clip, restorer, runtime, settings)
    step = runtime.longest()
    decode(latent, clip, restorer, runtime, settings)
    return {"One-Step Upscale": step, "Video VAE Decode": runtime.longest()}


def seconds_to_stop(server: ComfyUIServer, arguments: argparse.Namespace) -> dict[str, list[float]]:
    """Return the seconds from Cancel to the end of the run, for Cancels in both nodes."""
    graph = json.loads((WORKFLOWS / "api" / "adcvsr.json").read_text(encoding="utf-8"))
    graph["1"]["inputs"]["file"] = server.upload(arguments.video)
    graph["3"]["inputs"].update(model_name=arguments.model, dtype="fp32")
    graph["4"]["inputs"].update(window=arguments.window)
    waits = random.Random(arguments.seed)
    names = {"5": "One-Step Upscale", "6": "Video VAE Decode"}
    return {
        name: [cancelled(server, graph, node, waits.uniform(0, LONGEST_WAIT)) for _ in range(arguments.times)]
        for node, name in names.items()
    }


def cancelled(server: ComfyUIServer, graph: dict, node: str, wait: float) -> float:
    """Run `graph`, press Cancel `wait` seconds after `node` reports progress; return the seconds until it stopped."""
    run, pressed = Run(server), []

    def press() -> None:
        pressed.append(time.monotonic())
        server.post("/interrupt", {})

    timer = threading.Timer(wait, press)
    for message in run.follow(graph):
        if timer.ident is None and message["type"] == "progress" and message["data"]["node"] == node:
            timer.start()
    assert run.ending == "execution_interrupted", "the run ended before Cancel: take a longer video"
    return time.monotonic() - pressed[0]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("video", nargs="?", type=Path, default=WORKFLOWS / "assets" / "night_city_240p.mp4")
    parser.add_argument("--model", default=DEFAULT, choices=built_in())
    parser.add_argument("--window", type=int, default=0, help="frames the network sees at once; 0 = automatic")
    parser.add_argument("--times", type=int, default=10, help="Cancels per node")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    main()
