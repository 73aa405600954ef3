"""Compare the ways a model may join frames with their neighbours, on clips with ground truth.

    python benchmarks/alignment.py MODEL --lr LR --hr HR [--frames 14] [--device cpu] [--dtype fp32]

LR and HR are folders of clips. `alone` joins nothing (mu = 1). E*_warp follows the flow of the HR clip.
"""

import argparse
import math
import sys
import time
from collections import defaultdict
from pathlib import Path
from statistics import fmean

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from vsr_core.contract import FusionSettings  # noqa: E402
from vsr_core.load import cast, load_restorer  # noqa: E402
from vsr_core.metrics.warping import warping_error  # noqa: E402
from vsr_core.models import find  # noqa: E402
from vsr_core.restore import Settings, restore  # noqa: E402
from vsr_core.runtime import StandaloneRuntime  # noqa: E402
from vsr_core.runtime.standalone import DTYPES  # noqa: E402
from vsr_core.video import read_frames  # noqa: E402

VARIANTS = {
    "pixels": FusionSettings(alignment="pixels"),
    "latents": FusionSettings(alignment="latents"),
    "alone": FusionSettings(alignment="latents", mu=1.0),
}


def read_clip(path: Path, frames: int) -> Tensor:
    return torch.stack([frame.image for frame in read_frames(path, 0, frames)])


def psnr(clip: Tensor, reference: Tensor) -> float:
    """Return the mean over frames, in dB."""
    errors = ((clip - reference) ** 2).flatten(1).mean(1).tolist()
    return fmean(-10 * math.log10(error) if error else math.inf for error in errors)


def main() -> None:
    arguments = parse()
    runtime = StandaloneRuntime(arguments.device, arguments.dtype)
    restorer = cast(load_restorer(find(arguments.model)), DTYPES[arguments.dtype])
    figures: dict[str, dict[str, list[float]]] = {name: defaultdict(list) for name in VARIANTS}
    for path in sorted(arguments.lr.iterdir()):
        lr, hr = (read_clip(folder / path.name, arguments.frames) for folder in (arguments.lr, arguments.hr))
        results = {}
        for name, fusion in VARIANTS.items():
            start = time.perf_counter()
            results[name] = torch.cat(list(restore(lr, restorer, runtime, Settings(fusion=fusion)))).cpu()
            figures[name]["seconds a frame"].append((time.perf_counter() - start) / len(lr))
            figures[name]["PSNR [dB]"].append(psnr(results[name], hr))
            figures[name]["PSNR to pixels [dB]"].append(psnr(results[name], results["pixels"]))
            figures[name]["E*_warp [1e-3]"].append(warping_error(results[name], hr).nanmean().item())
    names = list(figures["pixels"])
    print(f"| {restorer.architecture}, {arguments.model} | {' | '.join(names)} |\n|{'---|' * (len(names) + 1)}")
    for variant, columns in figures.items():
        print(f"| {variant} | {' | '.join(f'{fmean(columns[name]):.3f}' for name in names)} |")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="a built-in model or a file")
    parser.add_argument("--lr", type=Path, required=True)
    parser.add_argument("--hr", type=Path, required=True)
    parser.add_argument("--frames", type=int, default=14)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--dtype", choices=DTYPES, default="fp32")
    return parser.parse_args()


if __name__ == "__main__":
    main()
