"""`upscale IN OUT`: restore and enlarge a video or a folder of images."""

import argparse
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path

from torch import Tensor

from ..clip import resize_bicubic
from ..color import MODES
from ..compare import write_comparison
from ..contract import ALIGNMENTS, FusionSettings
from ..errors import SettingError, VideoError
from ..flow import DEFAULT as DEFAULT_FLOW
from ..flow import ESTIMATORS, estimator
from ..load import cast, compiled, load_restorer
from ..models import DEFAULT, find
from ..restore import Settings, restore
from ..runtime import StandaloneRuntime
from ..runtime.standalone import DTYPES, choose_device
from ..tiling import Tiling
from ..video import Frame, open_writer, probe, read_frames
from .progress import FrameBar
from .summary import closing_line


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("input", metavar="IN", type=Path, help="a video, or a folder of images")
    parser.add_argument("output", metavar="OUT", type=Path, help="a .mp4, .mkv or .mov file, or a folder for PNGs")
    parser.add_argument("--model", default=DEFAULT, metavar="NAME|FILE", help=f"see `models` (default: {DEFAULT})")
    parser.add_argument("--window", type=int, metavar="N", help="frames the network sees at once")
    parser.add_argument("--overlap", type=int, metavar="N", help="frames two windows cross-fade over")
    parser.add_argument("--tile", type=int, metavar="N", help="cut larger frames into tiles of N input pixels")
    parser.add_argument("--tile-overlap", type=int, metavar="N", help="input pixels two tiles cross-fade over")
    parser.add_argument("--scene-cuts", choices=("on", "off"), default="on", help="keep shots apart (default: on)")
    parser.add_argument(
        "--flow", choices=ESTIMATORS, default=DEFAULT_FLOW, help=f"how motion is found (default: {DEFAULT_FLOW})"
    )
    parser.add_argument("--flow-weights", type=Path, metavar="FILE", help="torchvision's raft_large, for --flow raft")
    parser.add_argument("--alignment", choices=ALIGNMENTS, help="what is warped (default: what the model wants)")
    parser.add_argument("--color", choices=MODES, help="colour correction (default: what the model wants)")
    parser.add_argument("--seed", type=int, default=0, help="of the noise, for models that use any (default: 0)")
    parser.add_argument("--strength", type=float, default=1.0, help="0 = bicubic .. 1 = full (default: 1)")
    parser.add_argument("--frames", type=_frame_range, default=(0, None), metavar="A:B", help="only frames A up to B")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto", help="default: auto")
    parser.add_argument("--dtype", choices=("auto", *DTYPES), default="auto", help="to compute in (default: auto)")
    parser.add_argument("--compile", action="store_true", help="torch.compile: a slow start, then faster frames")
    parser.add_argument("--overwrite", action="store_true", help="replace a video that is already at OUT")
    parser.add_argument("--compare", type=Path, metavar="PNG", help="also write bicubic beside the result, one frame")


def run(arguments: argparse.Namespace) -> int:
    """Upscale and print one closing line. Raises VSRError."""
    settings = _settings(arguments)
    first, stop = arguments.frames
    _check_free(arguments.compare, arguments.overwrite)
    source = probe(arguments.input)
    total = None if source.frames is None else min(source.frames, stop or source.frames) - first
    bar = FrameBar(total)
    runtime = StandaloneRuntime(arguments.device, arguments.dtype, bar.update)
    restorer = load_restorer(find(arguments.model))
    cast(restorer, runtime.dtype(restorer.requirements.dtypes))
    if arguments.compile:
        compiled(restorer)
    scale = restorer.requirements.scale
    kept = _Kept(total)
    with (
        bar,
        open_writer(
            arguments.output,
            height=source.height * scale,
            width=source.width * scale,
            source=source,
            trimmed=arguments.frames != (0, None),
            overwrite=arguments.overwrite,
        ) as writer,
    ):
        held: deque[Frame] = deque()
        frames = _images(read_frames(arguments.input, first, stop), held)
        for clip in restore(frames, restorer, runtime, settings, total=total):
            for image in clip.cpu():
                frame = held.popleft()
                writer.write(image, frame.time, _enlarged(frame.alpha, image))
                kept.offer(frame.image, image)
    if arguments.compare:
        write_comparison(arguments.compare, *kept.pair)
    size = (source.width * scale, source.height * scale)
    print(closing_line(kept.count, bar.seconds, runtime, size, arguments.output))
    return 0


def _check_free(picture: Path | None, overwrite: bool) -> None:
    if picture is not None and picture.exists() and not overwrite:
        raise VideoError(f"{picture} already exists. Choose another name or allow overwriting by --overwrite.")


class _Kept:
    """The middle frame before and after, and how many there were."""

    def __init__(self, total: int | None):
        self.middle = (total or 1) // 2
        self.count = 0
        self.pair: tuple[Tensor, Tensor] | None = None

    def offer(self, before: Tensor, after: Tensor) -> None:
        if self.count <= self.middle:
            self.pair = (before, after)
        self.count += 1


def _settings(arguments: argparse.Namespace) -> Settings:
    tiling = Tiling(
        window=arguments.window,
        overlap=arguments.overlap,
        tile=arguments.tile,
        tile_overlap=arguments.tile_overlap,
        scene_cuts=arguments.scene_cuts == "on",
    )
    return Settings(
        tiling=tiling,
        color=arguments.color,
        seed=arguments.seed,
        strength=arguments.strength,
        flow=estimator(arguments.flow, arguments.flow_weights, choose_device(arguments.device)),
        fusion=FusionSettings(alignment=arguments.alignment),
    )


def _frame_range(text: str) -> tuple[int, int | None]:
    start, colon, stop = text.partition(":")
    try:
        frames = int(start or 0), int(stop) if stop else None
    except ValueError:
        frames = None
    if not colon or frames is None:
        raise SettingError(f"--frames takes A:B, such as 0:48, 24: or :48; got {text!r}.")
    return frames


def _images(frames: Iterable[Frame], held: deque[Frame]) -> Iterator[Tensor]:
    """Yield the pictures; keep each frame's time and alpha until it is written."""
    for frame in frames:
        held.append(frame)
        yield frame.image


def _enlarged(alpha: Tensor | None, image: Tensor) -> Tensor | None:
    return None if alpha is None else resize_bicubic(alpha[None], *image.shape[-2:])[0]
