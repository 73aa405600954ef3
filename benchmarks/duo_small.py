"""Follow the small DUO-VSR through its recipes: what each one's model makes of unseen clips, in one step and in many.

    python benchmarks/eval_clips.py --sources MEDIA --out eval
    python benchmarks/metric_weights.py weights
    python benchmarks/duo_small.py "base, 64 steps=runs/base/model.safetensors:64" --clips eval --weights weights

`:64` is how many Euler steps the model takes, 1 if not given. The autoencoder of the first model also shows what it
gives back, of the truth and of the input: what a DiT that finds everything, or nothing, would reach.
Every clip's middle 256x192 pixels of its first nine frames; LPIPS and NIQE of the middle frame. One CPU thread.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean

import torch
from PIL import Image
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cpu_torch import make_torchvision_importable  # noqa: E402

from vsr_core.architectures.duo_vsr.config import SCALE, SMALL  # noqa: E402
from vsr_core.architectures.duo_vsr.network import enlarged  # noqa: E402
from vsr_core.compare.picture import save_picture, titled, to_picture  # noqa: E402
from vsr_core.metrics import load_lpips, load_niqe, psnr  # noqa: E402
from vsr_core.schedulers.rectified_flow import euler  # noqa: E402
from vsr_core.training.duo_vsr.latents import Latents  # noqa: E402
from vsr_core.training.duo_vsr.start import start  # noqa: E402
from vsr_core.training.duo_vsr.velocity import Velocity  # noqa: E402
from vsr_core.video import read_frames  # noqa: E402

FRAMES, HEIGHT, WIDTH = SMALL.window, 192, 256
SHOWN = ("city", "forest")
"""Clips that may be shown to others: CC0, and CC-BY-3.0 (c) Blender Foundation."""


class Model:
    """A network of the small size and what it makes of the latents of a clip."""

    def __init__(self, text: str):
        title, _, name = text.rpartition("=")
        name, _, steps = name.partition(":")
        self.title, self.steps = title or name, int(steps or 1)
        self.network = start(SMALL, Path(name), seed=0).network
        self.latents = Latents(self.network)

    def sampled(self, lr: Tensor) -> Tensor:
        """Return z_0 of z_LR (1, C, F, H, W)."""
        velocity, text = Velocity(self.network.dit, SMALL), self.network.prompt[None]
        noise = torch.randn(lr.shape, generator=torch.Generator().manual_seed(0))
        return euler(lambda noisy, t: velocity(noisy, t, lr, text), noise, torch.ones(1), 1.0, self.steps)


def main() -> None:
    arguments = parse()
    make_torchvision_importable()
    torch.set_num_threads(1)
    scores = {"lpips": load_lpips(arguments.weights), "niqe": load_niqe(arguments.weights)}
    models = [Model(text) for text in arguments.models]
    figures: dict[str, list[tuple[float, ...]]] = {}
    pictures: dict[str, list[Tensor]] = {}
    for folder in sorted((arguments.clips / "lr").iterdir()):
        clip = middle(folder, 1)
        target = middle(arguments.clips / "hr" / folder.name, SCALE)
        for title, frames in restored(clip, target, models):
            frames = frames.clamp(0, 1)
            shown, true = frames[FRAMES // 2, None], target[FRAMES // 2, None]
            measured = psnr(frames, target).mean(), scores["lpips"](shown, true), scores["niqe"](shown)
            figures.setdefault(title, []).append(tuple(float(each) for each in measured))
            if folder.name in SHOWN:
                pictures.setdefault(title, []).append(shown[0])

    print("| | PSNR | LPIPS | NIQE |\n|---|---|---|---|")
    for title, values in figures.items():
        if title != "truth":
            print(f"| {title} | " + " | ".join(f"{fmean(each):.3f}" for each in zip(*values)) + " |")
    if arguments.sheet:
        sheet = Image.new("RGB", (WIDTH * len(pictures), HEIGHT * len(SHOWN)))
        for column, (title, frames) in enumerate(pictures.items()):
            for row, frame in enumerate(frames):
                part = to_picture(frame)
                sheet.paste(part if row else titled(part, title), (column * WIDTH, row * HEIGHT))
        save_picture(sheet, arguments.sheet)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+", metavar="[TITLE=]MODEL[:STEPS]")
    parser.add_argument("--clips", type=Path, required=True, help="folder that eval_clips.py made")
    parser.add_argument("--weights", type=Path, required=True, help="folder of the metrics' weights")
    parser.add_argument("--sheet", type=Path, help="picture to write")
    return parser.parse_args()


def middle(folder: Path, scale: int) -> Tensor:
    """Return the middle of the first frames of a clip (T, 3, H, W); whatever its `scale`, of the same place."""
    clip = torch.stack([frame.image for frame in read_frames(folder, 0, FRAMES)])
    height, width = HEIGHT // SCALE * scale, WIDTH // SCALE * scale
    top, left = (
        (whole - part) // 2 // (4 * scale) * 4 * scale for whole, part in zip(clip.shape[-2:], (height, width))
    )
    return clip[..., top : top + height, left : left + width]


@torch.no_grad()
def restored(clip: Tensor, target: Tensor, models: list[Model]) -> Iterator[tuple[str, Tensor]]:
    """Yield titles and frames (T, 3, 4 H, 4 W) of a clip (T, 3, H, W)."""
    yield "bicubic", (enlarged(clip) + 1) / 2
    first = models[0].latents
    yield "latents of the input", first.decode(first.of_input(clip[None]), clip[None])[0]
    for model in models:
        z_lr = model.latents.of_input(clip[None])
        yield model.title, model.latents.decode(model.sampled(z_lr), clip[None])[0]
    yield "latents of the truth", first.decode(first.of_target(target[None]), clip[None])[0]
    yield "truth", target


if __name__ == "__main__":
    main()
