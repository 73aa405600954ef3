"""Restore clips of any length and size: pad -> window -> tile -> encode, step, decode -> blend -> colour.

`restore` streams frames; `upscale` and `decode` are its two halves for whole clips, as nodes use them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from .clip import check_clip, crop, pad_bottom_right, padding_to_multiple, resize_bicubic
from .color import MODES, correct
from .contract import Requirements, Restorer, Stage
from .errors import SettingError, VSRError
from .runtime import Runtime
from .tiling import Tiling
from .tiling.cuts import split_shots
from .tiling.plan import frames_at_once, plan_grid, plan_windows
from .tiling.run import Grid, run_tiles
from .tiling.windows import crossfade, windows


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the user chooses for a run."""

    tiling: Tiling = field(default_factory=Tiling)
    color: str | None = None
    """Colour correction, a name of `color.MODES`; None = the architecture's default."""
    seed: int = 0
    strength: float = 1.0
    """0 = bicubic enlargement, 1 = the network's result."""

    def __post_init__(self):
        if not 0 <= self.strength <= 1:
            raise SettingError(f"Strength is {self.strength}; use 0 (bicubic) to 1 (the network's full result).")
        if self.color is not None and self.color not in MODES:
            raise SettingError(f"Unknown colour correction {self.color!r}; choose one of {', '.join(MODES)}.")


class Piece(NamedTuple):
    """Frames whose latent is final."""

    clip: Tensor
    """(T, 3, H, W) as given, not padded."""
    latent: Tensor
    """(T, C, H', W') of the padded frames."""
    starts_shot: bool


def restore(
    frames: Iterable[Tensor], restorer: Restorer, runtime: Runtime, settings: Settings, *, total: int | None = None
) -> Iterator[Tensor]:
    """Yield the restored clips (T, 3, scale * H, scale * W) in 0..1 of `frames` (3, H, W), in order, few at a time.

    Together they have exactly as many frames. `total` is the expected number of frames, for progress only.
    """
    return decode_pieces(upscale_pieces(frames, restorer, runtime, settings, total), restorer, runtime, settings, total)


def upscale(clip: Tensor, restorer: Restorer, runtime: Runtime, settings: Settings) -> Tensor:
    """Return the latent (T, C, H', W') of a clip (T, 3, H, W) in 0..1 after the one diffusion step."""
    pieces = upscale_pieces(check_clip(clip), restorer, runtime, settings, len(clip))
    return torch.cat([piece.latent.to(clip.device) for piece in pieces])


def decode(latent: Tensor, clip: Tensor, restorer: Restorer, runtime: Runtime, settings: Settings) -> Tensor:
    """Return the restored clip (T, 3, scale * H, scale * W) in 0..1 of a latent that `upscale` made from `clip`."""
    scale = restorer.requirements.scale
    restored = clip.new_empty(*clip.shape[:2], *(scale * side for side in clip.shape[-2:]), dtype=torch.float32)
    pieces, start = _pieces_of_shots(latent, clip, settings.tiling), 0
    for frames in decode_pieces(pieces, restorer, runtime, settings, len(clip)):
        restored[start : start + len(frames)] = frames
        start += len(frames)
    return restored


def upscale_pieces(
    frames: Iterable[Tensor], restorer: Restorer, runtime: Runtime, settings: Settings, total: int | None
) -> Iterator[Piece]:
    """Yield latents window by window, cross-faded where windows overlap."""
    size, overlap = plan_windows(restorer, settings.tiling)
    largest, pending, done = None, None, 0
    for window in windows(frames, size, overlap, scene_cuts=settings.tiling.scene_cuts):
        padded = _padded(check_clip(window.clip, first=window.start), restorer.requirements)
        grid = _load_and_plan("step", padded, restorer, runtime, settings, largest)
        latent, largest = _step(padded, grid, restorer, runtime, settings.seed)
        if window.head:
            latent[: window.head] = crossfade(pending, latent[: window.head])
        final = len(latent) - window.tail
        pending = latent[final:]
        done += final
        runtime.progress("step", done, total)
        yield Piece(window.clip[:final], latent[:final], starts_shot=window.starts_shot)


def decode_pieces(
    pieces: Iterable[Piece], restorer: Restorer, runtime: Runtime, settings: Settings, total: int | None
) -> Iterator[Tensor]:
    """Yield restored frames, a few at a time."""
    color, largest, done = None, None, 0
    for piece in pieces:
        height, width = (restorer.requirements.scale * side for side in piece.clip.shape[-2:])
        padded = _padded(piece.clip, restorer.requirements)
        grid = _load_and_plan("decode", padded, restorer, runtime, settings, largest)
        count = frames_at_once(restorer, grid, _dtype(restorer), runtime.free_memory())
        color = None if piece.starts_shot else color
        for latent, part in zip(piece.latent.split(count), padded.split(count)):
            decoded, largest = _decode(latent, part, grid, restorer, runtime)
            grid = grid._replace(tile=largest)
            decoded = crop(decoded, height, width)
            source = crop(part, *piece.clip.shape[-2:]).to(decoded)
            decoded, color = correct(settings.color or restorer.requirements.color, decoded, source, color)
            decoded = decoded.clamp(0, 1)
            if settings.strength < 1:
                decoded = torch.lerp(resize_bicubic(source, height, width), decoded, settings.strength)
            done += len(decoded)
            runtime.progress("decode", done, total, decoded[-1])
            yield decoded


@torch.no_grad()
def _step(padded: Tensor, grid: Grid, restorer: Restorer, runtime: Runtime, seed: int) -> tuple[Tensor, int]:
    def compute(box):
        with runtime.timed("encode"):
            latent = restorer.encode(box.cut(padded).to(runtime.device))
        with runtime.timed("step"):
            return restorer.step(latent, seed=seed)

    return run_tiles(compute, grid, runtime, padded.device)


@torch.no_grad()
def _decode(latent: Tensor, padded: Tensor, grid: Grid, restorer: Restorer, runtime: Runtime) -> tuple[Tensor, int]:
    def compute(box):
        cells = box.cut(latent, 1, restorer.requirements.latent_stride).to(runtime.device)
        with runtime.timed("decode"):
            return restorer.decode(cells, box.cut(padded).to(runtime.device))

    frames, tile = run_tiles(compute, grid, runtime, runtime.device)
    if not frames.isfinite().all():
        raise VSRError(
            f"The network gave NaN or infinite pixels in {_dtype(restorer)}. Choose dtype fp32 (or bf16); if that "
            "does not help, the model file is damaged."
        )
    return frames, tile


def _load_and_plan(
    stage: Stage, padded: Tensor, restorer: Restorer, runtime: Runtime, settings: Settings, largest: int | None
) -> Grid:
    """Load the parts of a stage and plan its tiles, none larger than `largest`, which fitted before."""
    frames, height, width = len(padded) if stage == "step" else 1, *padded.shape[-2:]
    dtype = _dtype(restorer)
    memory = restorer.memory_bytes(stage, frames, height, width, dtype)
    runtime.load([restorer.parts[name] for name in restorer.stage_parts[stage]], memory)
    grid = plan_grid(
        restorer,
        stage,
        settings.tiling,
        frames=frames,
        height=height,
        width=width,
        dtype=dtype,
        free=runtime.free_memory(),
    )
    return grid._replace(tile=min(grid.tile, largest or grid.tile))


def _pieces_of_shots(latent: Tensor, clip: Tensor, tiling: Tiling) -> Iterator[Piece]:
    start = 0
    for shot in split_shots(clip, tiling.scene_cuts):
        yield Piece(shot, latent[start : start + len(shot)], starts_shot=True)
        start += len(shot)


def _padded(clip: Tensor, needs: Requirements) -> Tensor:
    bottom, right = (padding_to_multiple(side, needs.multiple) for side in clip.shape[-2:])
    return pad_bottom_right(clip, bottom, right)


def _dtype(restorer: Restorer) -> torch.dtype:
    return next(next(iter(restorer.parts.values())).parameters()).dtype
