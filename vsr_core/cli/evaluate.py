"""`python -m vsr_core evaluate`: compare upscaled clips with the ground truth and with bicubic."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

from ..compare import Profile, Rating, plot
from ..compare.picture import save_picture, to_picture
from ..errors import VideoError
from ..metrics import METRICS, ClipResult, load_scores, measure
from ..metrics.measure import Score, WholeClip
from ..metrics.report import as_json, markdown
from ..metrics.sources import ClipPaths, find_clips, side_by_side
from ..metrics.weights import weights_folder
from ..video.partial import partial_file


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of the sub-command."""
    parser.description = (
        "Print a table of quality metrics, one row each for bicubic (with --lr), SR and HR (with --hr). "
        "SR, HR and LR are each a video, a folder of images, or a folder of such clips with equal names."
    )
    parser.add_argument("sr", type=Path, metavar="SR", help="the upscaled clip, or a folder of clips")
    parser.add_argument("--hr", type=Path, help="the ground truth; PSNR, SSIM, LPIPS and DISTS need it")
    parser.add_argument("--lr", type=Path, help="the small input; adds a row for bicubic enlargement")
    parser.add_argument(
        "--metrics",
        type=metric_names,
        metavar="A,B,...",
        help=f"which of {', '.join(METRICS)} (default: every one whose package and weights are there)",
    )
    parser.add_argument("--weights", type=Path, metavar="DIR", help="folder of the weights that metrics need")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures as JSON (replaces FILE)")
    parser.add_argument(
        "--markdown", type=Path, metavar="FILE", help="also write the tables as Markdown (replaces FILE)"
    )
    parser.add_argument(
        "--plots",
        type=Path,
        metavar="DIR",
        help="also draw each clip's metrics over its frames, and its temporal profile: the middle row of pixels over "
        "time (replaces DIR/CLIP-metrics.png and DIR/CLIP-profile.png)",
    )


def run(args: Namespace) -> int:
    """Measure, print and write the tables. Raises VSRError for what cannot be measured or written."""
    names = args.metrics or list(METRICS)
    clips = find_clips(args.sr, args.hr, args.lr)
    scores, missing = load_scores(names, weights_folder(args.weights), all_required=args.metrics is not None)
    with report_file(args.markdown) as write_markdown, report_file(args.json) as write_json:
        check_folder(args.plots)
        results = [rate(name, paths, scores, args.plots) for name, paths in clips.items()]
        tables = markdown(results, names, missing)
        print(tables, end="")
        write_markdown(tables)
        write_json(as_json(results, names, missing))
    return 0


def rate(name: str, paths: ClipPaths, scores: Mapping[str, Score | WholeClip], plots: Path | None) -> ClipResult:
    """Measure one clip, and draw its pictures if there is a folder for them."""
    moments = tqdm(side_by_side(paths), desc=name, unit="frame", disable=None)
    if plots is None:
        return measure(name, moments, scores)
    profile = Profile()
    result = measure(name, profile.watch(moments), scores)
    draw(result, profile, plots)
    return result


def draw(result: ClipResult, profile: Profile, folder: Path) -> None:
    """Write both pictures of a clip. Raises VideoError if that is not possible."""
    rating = Rating(metrics=list(result.values), values=result.values, missing={})
    save_picture(to_picture(plot(rating)), folder / f"{result.name}-metrics.png")
    save_picture(profile.picture(), folder / f"{result.name}-profile.png")


def check_folder(folder: Path | None) -> None:
    """Make the folder for pictures. Raises VideoError if there can be none."""
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise VideoError(f"Could not make the folder {folder}: {error}. Name another one for --plots.") from error


@contextmanager
def report_file(path: Path | None) -> Iterator[Callable[[str], object]]:
    """Yield a function that writes the text of a report; the file appears whole when the block succeeds.

    Does nothing for None. Raises VideoError, before any work is done, if `path` cannot be written.
    """
    if path is None:
        yield lambda text: None
        return
    with partial_file(path, overwrite=True) as partial:
        yield lambda text: partial.write_text(text, encoding="utf-8")


def metric_names(text: str) -> list[str]:
    """Return the names in a comma-separated list."""
    names = [name.strip().lower() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in METRICS]
    if unknown or not names:
        raise ArgumentTypeError(f"expected some of {', '.join(METRICS)}, got {text!r}")
    return list(dict.fromkeys(names))
