"""Compare bicubic, the built-in models and other upscalers on the evaluation clips, degraded and clean.

    python benchmarks/eval_clips.py --sources MEDIA --out eval
    python benchmarks/metric_weights.py weights
    python benchmarks/quality.py --clips eval --work work --weights weights --markdown table.md

Rows whose packages are absent are left out and named, with the command that installs them; that of the metrics is
`pip install --no-deps imageio-ffmpeg cvvdp ffmpeg-python imageio PyEXR OpenEXR`. What was upscaled and measured stays
in WORK: after a change of a built-in model, `--again ours` makes the rows of our models anew and keeps the others.
"""

import argparse
import json
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean

import torch
from PIL import Image
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cpu_torch import make_torchvision_importable  # noqa: E402
from eval_clips import write_images  # noqa: E402
from peers import PEERS  # noqa: E402
from peers.peer import Upscale  # noqa: E402
from video_metrics import cvvdp, vmaf  # noqa: E402

from vsr_core.clip import resize_bicubic  # noqa: E402
from vsr_core.compare.picture import save_picture, titled, to_picture  # noqa: E402
from vsr_core.compare.sheet import richest_crop  # noqa: E402
from vsr_core.errors import MissingPackageError  # noqa: E402
from vsr_core.load import cast, load_restorer  # noqa: E402
from vsr_core.metrics import METRICS, load_scores, measure  # noqa: E402
from vsr_core.metrics.catalog import Loaded  # noqa: E402
from vsr_core.metrics.measure import REFERENCE, of_whole_clips_against_reference  # noqa: E402
from vsr_core.metrics.report import ABSENT, table  # noqa: E402
from vsr_core.metrics.weights import weights_folder  # noqa: E402
from vsr_core.models import built_in  # noqa: E402
from vsr_core.restore import Settings, restore  # noqa: E402
from vsr_core.runtime import StandaloneRuntime  # noqa: E402
from vsr_core.video import read_frames  # noqa: E402

SCALE = 4
SECONDS = "seconds.txt"
FIGURES = "figures.json"
VIDEO_METRICS = {"vmaf": vmaf, "cvvdp": cvvdp}
COLUMNS = ("psnr", "ssim", "lpips", "dists", "niqe", "vmaf", "cvvdp", "ewarp")
TITLES = {name: metric.title for name, metric in METRICS.items()} | {"vmaf": "VMAF", "cvvdp": "cvvdp [JOD]"}
DECIMALS = {name: metric.decimals for name, metric in METRICS.items()} | {"vmaf": 1, "cvvdp": 2}
CONDITIONS = {"degraded": "noisy, JPEG and H.264 input", "clean": "bicubic-reduced input"}
SHEET_CLIPS = ["city", "towers", "forest"]
"""Those that may be shown to others: CC0, CC0 and CC-BY-3.0, (c) Blender Foundation."""
SHEET_SIDE = 192


@dataclass(frozen=True, kw_only=True)
class Row:
    """Something that enlarges a clip, and where its frames and figures are kept."""

    title: str
    load: Callable[[], Upscale]
    folder: Path


def main() -> int:
    """Upscale and measure what is not in WORK yet, then print the table."""
    arguments = parse()
    make_torchvision_importable()
    rows = chosen_rows(arguments.work, arguments.rows)
    for row in rows:
        if row.title in arguments.again or ("ours" in arguments.again and row.title in built_in()):
            shutil.rmtree(row.folder, ignore_errors=True)
    missing = upscale_all(rows, arguments)
    rows = [row for row in rows if row.title not in missing]
    if arguments.sheet:
        save_picture(contact_sheet(rows, arguments), arguments.sheet)
    if not arguments.upscale_only:
        report(rows, missing, arguments)
    return 0


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=Path, required=True, help="what eval_clips.py wrote")
    parser.add_argument("--work", type=Path, required=True, help="folder for the upscaled frames and figures")
    parser.add_argument("--weights", type=Path, help="folder of the metrics' weights")
    parser.add_argument("--frames", type=int, default=5, help="of each clip, from its first (default: %(default)s)")
    parser.add_argument("--rows", type=names, help="only these (default: all)")
    parser.add_argument("--again", type=names, default=[], help='rows to make anew; "ours" = every built-in model')
    parser.add_argument("--metrics", type=names, default=COLUMNS, help="columns (default: %(default)s)")
    parser.add_argument("--upscale-only", action="store_true", help="measure nothing")
    parser.add_argument("--markdown", type=Path, help="also write the tables to this file")
    parser.add_argument("--sheet", type=Path, help=f"also write a part of {', '.join(SHEET_CLIPS)}, row beside row")
    return parser.parse_args()


def names(text: str) -> list[str]:
    """Split a comma-separated list."""
    return [name.strip() for name in text.split(",") if name.strip()]


def chosen_rows(work: Path, wanted: list[str] | None) -> list[Row]:
    """Return bicubic, our models and the peers, in this order."""
    loaders = {"bicubic": lambda: bicubic}
    loaders |= {name: partial(ours, path) for name, path in built_in().items()}
    loaders |= {peer.title: peer.load for peer in PEERS}
    if unknown := set(wanted or ()) - set(loaders):
        raise SystemExit(f"There is no row {', '.join(sorted(unknown))}; choose from {', '.join(loaders)}.")
    return [
        Row(title=title, load=load, folder=folder_of(work, title))
        for title, load in loaders.items()
        if not wanted or title in wanted
    ]


def folder_of(work: Path, title: str) -> Path:
    """Return where the frames and figures of a row are."""
    return work / title.replace(" ", "_")


def bicubic(clip: Tensor) -> Tensor:
    """Enlarge by interpolation."""
    return resize_bicubic(clip, SCALE * clip.shape[-2], SCALE * clip.shape[-1]).clamp(0, 1)


def ours(path: Path) -> Upscale:
    """Load a built-in model as `upscale` does without further options."""
    runtime = StandaloneRuntime("cpu")
    restorer = load_restorer(path)
    cast(restorer, runtime.dtype(restorer.requirements.dtypes))
    return lambda clip: torch.cat(list(restore(clip, restorer, runtime, Settings(), total=len(clip))))


def upscale_all(rows: list[Row], arguments: argparse.Namespace) -> dict[str, str]:
    """Write the frames of every row that are not there yet; return why rows are left out, by their titles."""
    missing = {}
    for row in rows:
        todo = [place for place in places(arguments.clips) if not is_made(row.folder / place, arguments.frames)]
        try:
            upscale = row.load() if todo else None
        except MissingPackageError as error:
            missing[row.title] = str(error)
            continue
        for place in todo:
            upscale_clip(upscale, low(arguments.clips, place, arguments.frames), row.folder / place)
            print(f"{row.title}: {place}", flush=True)
    return missing


def is_made(folder: Path, frames: int) -> bool:
    """Tell whether an earlier run wrote as many frames; the seconds are written last."""
    return (folder / SECONDS).is_file() and len(list(folder.glob("*.png"))) >= frames


def places(clips: Path) -> list[Path]:
    """Return CONDITION/CLIP for every pair."""
    found = sorted(path.name for path in (clips / "hr").iterdir() if path.is_dir())
    return [Path(condition, clip) for condition in CONDITIONS for clip in found]


def upscale_clip(upscale: Upscale, clip: Tensor, folder: Path) -> None:
    """Write the enlarged frames and the seconds of processor time that one took; other programs do not count."""
    start = time.process_time()
    result = upscale(clip)
    seconds = (time.process_time() - start) / len(clip)
    shutil.rmtree(folder, ignore_errors=True)
    write_images(result.float().clamp(0, 1), folder)
    (folder / SECONDS).write_text(f"{seconds:.3f}\n")


def low(clips: Path, place: Path, frames: int) -> Tensor:
    """Return the input clip (T, 3, h, w): as it was degraded, or HR made smaller and rounded to 8 bits."""
    condition, name = place.parts
    if condition == "degraded":
        return read(clips / "lr" / name, frames)
    hr = read(clips / "hr" / name, frames)
    return (resize_bicubic(hr, hr.shape[-2] // SCALE, hr.shape[-1] // SCALE).clamp(0, 1) * 255).round() / 255


def read(folder: Path, frames: int | None = None) -> Tensor:
    """Return the first frames in a folder of images, (T, 3, H, W) in 0..1."""
    return torch.stack([frame.image for frame in read_frames(folder, 0, frames)])


def contact_sheet(rows: list[Row], arguments: argparse.Namespace) -> Image.Image:
    """Return a column per row of the table, and the truth; degraded input, the last measured frame."""
    columns = {row.title: row.folder / "degraded" for row in rows} | {REFERENCE: arguments.clips / "hr"}
    sheet = Image.new("RGB", (len(columns) * SHEET_SIDE, len(SHEET_CLIPS) * SHEET_SIDE))
    for y, clip in enumerate(SHEET_CLIPS):
        frames = {title: read(folder / clip, arguments.frames)[-1] for title, folder in columns.items()}
        top, left = richest_crop(frames[REFERENCE], SHEET_SIDE, SHEET_SIDE)
        for x, (title, frame) in enumerate(frames.items()):
            part = to_picture(frame[:, top : top + SHEET_SIDE, left : left + SHEET_SIDE])
            sheet.paste(part if y else titled(part, title), (x * SHEET_SIDE, y * SHEET_SIDE))
    return sheet


def report(rows: list[Row], missing: dict[str, str], arguments: argparse.Namespace) -> None:
    """Measure what is not measured yet, place by place, and print the table."""
    scores, absent = chosen_scores(arguments.metrics, arguments.weights)
    for place in places(arguments.clips):
        measure_place(rows, place, scores, arguments)
        print(f"measured {place}", file=sys.stderr, flush=True)
    text = "\n\n".join([summary(rows, list(scores), arguments), *reasons(missing | absent)]) + "\n"
    print(text, end="")
    if arguments.markdown:
        arguments.markdown.write_text(text, encoding="utf-8")


def chosen_scores(metrics: list[str], weights: Path | None) -> Loaded:
    """Return the scores of the named metrics, and why others are absent."""
    scores, absent = load_scores([m for m in metrics if m in METRICS], weights_folder(weights), all_required=False)
    theirs = {m: of_whole_clips_against_reference(VIDEO_METRICS[m]) for m in metrics if m in VIDEO_METRICS}
    return {m: (scores | theirs)[m] for m in metrics if m not in absent}, absent


def measure_place(rows: list[Row], place: Path, scores: dict, arguments: argparse.Namespace) -> None:
    """Measure the rows that lack figures at `place`, all side by side, and keep what was found."""
    frames = arguments.frames
    known = {row: figures(row.folder / place, frames) for row in rows}
    todo = {row for row in rows if set(scores) - set(known[row])}
    lacking = {name: score for name, score in scores.items() if any(name not in known[row] for row in todo)}
    if not todo:
        return
    clips = {row.title: read(row.folder / place, frames) for row in rows if row in todo}
    clips[REFERENCE] = read(arguments.clips / "hr" / place.name, frames)
    moments = (dict(zip(clips, images)) for images in zip(*clips.values()))
    result = measure(place.name, moments, lacking)
    for title, found in result.rows.items():
        folder = folder_of(arguments.work, title) / place
        folder.mkdir(parents=True, exist_ok=True)
        kept = {**figures(folder, frames), **found, "frames": frames}
        (folder / FIGURES).write_text(json.dumps(kept, indent=2))


def figures(folder: Path, frames: int) -> dict[str, float]:
    """Return what an earlier run found for as many frames."""
    path = folder / FIGURES
    found = json.loads(path.read_text()) if path.is_file() else {}
    return found if found.pop("frames", frames) == frames else {}


def summary(rows: list[Row], metrics: list[str], arguments: argparse.Namespace) -> str:
    """Return the table of means over the clips, one block of rows per condition."""
    lines = []
    for condition in CONDITIONS:
        clips = [place for place in places(arguments.clips) if place.parts[0] == condition]
        for title in (*(row.title for row in rows), REFERENCE):
            folder = folder_of(arguments.work, title)
            found = [figures(folder / place, arguments.frames) for place in clips]
            seconds = [float((folder / place / SECONDS).read_text()) for place in clips if title != REFERENCE]
            cells = [mean([each[name] for each in found if name in each], DECIMALS[name]) for name in metrics]
            lines.append([condition, title, *cells, mean(seconds, 2)])
    header = ["input", "", *(TITLES[name] for name in metrics), "s per frame"]
    about = ", ".join(f"{name} = {what}" for name, what in CONDITIONS.items())
    note = (
        f"{len(clips)} clips, the first {arguments.frames} frames of each; mean over the frames of a clip, then over "
        f"clips. Input: {about}. Seconds are of processor time, {torch.get_num_threads()} thread(s)."
    )
    return f"{note}\n\n{table(lines, header)}"


def mean(values: list[float], decimals: int) -> str:
    """Return the mean, or a dash if there is no value."""
    return f"{fmean(values):.{decimals}f}" if values else ABSENT


def reasons(missing: dict[str, str]) -> list[str]:
    """Say why rows and metrics are left out."""
    return [f"{name} is missing: {reason}" for name, reason in missing.items()]


if __name__ == "__main__":
    sys.exit(main())
