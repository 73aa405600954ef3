"""The options that say how a video is upscaled, shared by the commands that do it."""

import argparse
from pathlib import Path

from ..color import MODES
from ..contract import ALIGNMENTS, FusionSettings, Restorer
from ..errors import SettingError
from ..flow import DEFAULT as DEFAULT_FLOW
from ..flow import ESTIMATORS, estimator
from ..load import cast, compiled, load_restorer, with_tiny_decoder
from ..models import DEFAULT, find
from ..restore import Settings
from ..runtime import StandaloneRuntime
from ..runtime.standalone import DTYPES, choose_device
from ..streaming import ON_ERROR, POLICIES, RESIZES, Job, TargetSize
from ..tiling import Tiling
from ..video import CODECS, Quality


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that `job_of` and `loaded` read."""
    model = parser.add_argument_group("model")
    model.add_argument("--model", default=DEFAULT, metavar="NAME|FILE", help=f"see `models` (default: {DEFAULT})")
    model.add_argument(
        "--decoder", type=Path, metavar="FILE",
        help="a tiny decoder of Wan2.1's latents (taew2_1, lighttaew2_1), for DUO-VSR: faster, but softer",
    )  # fmt: skip
    model.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto", help="default: auto")
    model.add_argument("--dtype", choices=("auto", *DTYPES), default="auto", help="to compute in (default: auto)")
    model.add_argument("--compile", action="store_true", help="torch.compile: a slow start, then faster frames")
    model.add_argument("--seed", type=int, default=0, help="of the noise, for models that use any (default: 0)")
    model.add_argument("--strength", type=float, default=1.0, help="0 = bicubic .. 1 = full (default: 1)")
    model.add_argument("--color", choices=MODES, help="colour correction (default: what the model wants)")
    model.add_argument(
        "--flow", choices=ESTIMATORS, default=DEFAULT_FLOW, help=f"how motion is found (default: {DEFAULT_FLOW})"
    )
    model.add_argument("--flow-weights", type=Path, metavar="FILE", help="torchvision's raft_large, for --flow raft")
    model.add_argument("--alignment", choices=ALIGNMENTS, help="what is warped (default: what the model wants)")

    pieces = parser.add_argument_group("pieces")
    pieces.add_argument("--window", type=int, metavar="N", help="frames the network sees at once")
    pieces.add_argument("--overlap", type=int, metavar="N", help="frames two windows cross-fade over")
    pieces.add_argument("--tile", type=int, metavar="N", help="cut larger frames into tiles of N input pixels")
    pieces.add_argument("--tile-overlap", type=int, metavar="N", help="input pixels two tiles cross-fade over")
    pieces.add_argument("--scene-cuts", choices=("on", "off"), default="on", help="keep shots apart (default: on)")
    pieces.add_argument(
        "--segment-seconds", type=float, default=Job.segment_seconds, metavar="S",
        help="longest stretch that is written at once, and lost in a crash (default: %(default)g)",
    )  # fmt: skip
    pieces.add_argument(
        "--segments", choices=POLICIES, default=Job.policy, help="how they are joined (default: %(default)s)"
    )

    result = parser.add_argument_group("result")
    size = result.add_mutually_exclusive_group()
    size.add_argument("--height", type=int, metavar="N", help="pixels of the result; the width follows")
    size.add_argument("--width", type=int, metavar="N", help="pixels of the result; the height follows")
    size.add_argument("--scale", type=float, metavar="X", help="output per input pixels (default: the model's, 4)")
    result.add_argument(
        "--resize", choices=RESIZES, default=TargetSize.resize,
        help="after: resize the model's result (best); before: the input (faster); default: %(default)s",
    )  # fmt: skip
    result.add_argument("--codec", choices=CODECS, help="default: h264; prores where transparency has to be kept")
    result.add_argument("--crf", type=int, metavar="N", help="quality, smaller is better (default: what suits --codec)")
    result.add_argument("--preset", metavar="NAME", help="speed of the encoder (default: what suits --codec)")
    result.add_argument(
        "--on-error", choices=ON_ERROR, default=Job.on_error,
        help="damaged input: stop, or finish what can be read before it (default: %(default)s)",
    )  # fmt: skip
    result.add_argument("--overwrite", action="store_true", help="replace a video that is there already")


def job_of(arguments: argparse.Namespace, source: Path, target: Path, frames: tuple[int, int | None]) -> Job:
    """Return what the options ask for. Raises SettingError."""
    return Job(
        source=source,
        target=target,
        settings=_settings(arguments),
        size=TargetSize(height=arguments.height, width=arguments.width, scale=arguments.scale, resize=arguments.resize),
        quality=_quality(arguments),
        segment_seconds=arguments.segment_seconds,
        policy=arguments.segments,
        frames=frames,
        on_error=arguments.on_error,
    )


def loaded(arguments: argparse.Namespace, runtime: StandaloneRuntime) -> Restorer:
    """Return the model in its computing dtype. Raises CheckpointError or SettingError."""
    restorer = load_restorer(find(arguments.model))
    cast(restorer, runtime.dtype(restorer.requirements.dtypes))
    if arguments.decoder:
        restorer = with_tiny_decoder(restorer, arguments.decoder)
    return compiled(restorer) if arguments.compile else restorer


def frame_range(text: str) -> tuple[int, int | None]:
    """Read A:B, for argparse. Raises SettingError."""
    start, colon, stop = text.partition(":")
    try:
        frames = int(start or 0), int(stop) if stop else None
    except ValueError:
        frames = None
    if not colon or frames is None:
        raise SettingError(f"--frames takes A:B, such as 0:48, 24: or :48; got {text!r}.")
    return frames


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


def _quality(arguments: argparse.Namespace) -> Quality:
    chosen = {"codec": arguments.codec, "crf": arguments.crf, "preset": arguments.preset}
    return Quality(**{name: value for name, value in chosen.items() if value is not None})
