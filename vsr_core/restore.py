"""Restore clips of any length and size: window -> align -> encode, fuse, step, decode -> blend -> colour.

`restore` streams frames; `upscale` and `decode` are its two halves for whole clips, as nodes use them, and
`align_clip` and `fuse` are the first steps of `upscale` for models that fuse neighbouring frames.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from .clip import check_clip, resize_bicubic
from .color import MODES, correct
from .contract import FusionSettings, Restorer
from .errors import SettingError
from .flow import Aligned, FlowEstimator, align, estimator, join
from .runtime import Runtime
from .stages import Shot, Stages
from .tiling import Tiling
from .tiling.cuts import shot_lengths
from .tiling.groups import frames_of, latents_of
from .tiling.plan import plan_windows
from .tiling.windows import Window, crossfade, windows

ALIGNED_AT_ONCE = 16
NEIGHBOURS = 2
"""Frames that windows share so that every frame sees both neighbours in one of them."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the user chooses for a run."""

    tiling: Tiling = field(default_factory=Tiling)
    color: str | None = None
    """Colour correction, a name of `color.MODES`; None = the architecture's default."""
    seed: int = 0
    strength: float = 1.0
    """0 = bicubic enlargement, 1 = the network's result."""
    text: Tensor | None = None
    """Text embedding (1, tokens, text_width); None = the model's own."""
    flow: FlowEstimator | None = None
    """How motion between frames is estimated; None = the default estimator."""
    fusion: FusionSettings = field(default_factory=FusionSettings)

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
    frames: Iterable[Tensor],
    restorer: Restorer,
    runtime: Runtime,
    settings: Settings,
    *,
    total: int | None = None,
    first: int = 0,
) -> Iterator[Tensor]:
    """Yield the restored clips (T, 3, scale * H, scale * W) in 0..1 of `frames` (3, H, W), in order, few at a time.

    Together they have exactly as many frames. `total` is the expected number of frames, for progress only. `first` is
    the number of the first frame in its video: noise belongs to a frame's number.
    """
    pieces = upscale_pieces(frames, restorer, runtime, settings, total, first)
    return decode_pieces(pieces, restorer, runtime, settings, total)


def upscale(clip: Tensor, restorer: Restorer, runtime: Runtime, settings: Settings) -> Tensor:
    """Return the latent (T, C, H', W') of a clip (T, 3, H, W) in 0..1 after the one diffusion step."""
    pieces = upscale_pieces(check_clip(clip), restorer, runtime, settings, len(clip))
    return torch.cat([piece.latent.to(clip.device) for piece in pieces])


def align_clip(
    clip: Tensor, flow: FlowEstimator, runtime: Runtime, *, scene_cuts: bool = True, occlusion: bool = False
) -> Aligned:
    """Align the neighbours of every frame of a clip (T, 3, H, W) in 0..1, none across a scene cut."""
    parts = []
    for window, kept in _kept_frames(check_clip(clip), ALIGNED_AT_ONCE, NEIGHBOURS, scene_cuts):
        runtime.check_stopped()
        parts.append(align(window.clip, flow, occlusion=occlusion)[kept].shifted(window.start))
        runtime.progress("align", window.start + kept.stop, len(clip))
    return join(parts)


def fuse(clip: Tensor, aligned: Aligned, restorer: Restorer, runtime: Runtime, settings: Settings) -> Tensor:
    """Return the fused latent (T, C, H', W') of a clip (T, 3, H, W) in 0..1: what the step starts from.

    Raises SettingError if the model fuses nothing or `aligned` is of another clip.
    """
    if restorer.fusion is None:
        raise SettingError("This model takes the frames as they are; connect them to One-Step Upscale directly.")
    if (len(aligned), *aligned.error.shape[-2:]) != (len(check_clip(clip)), *clip.shape[-2:]):
        raise SettingError(
            f"The flow is of {len(aligned)} frames of {aligned.error.shape[-1]}x{aligned.error.shape[-2]}, the images "
            f"are {len(clip)} of {clip.shape[-1]}x{clip.shape[-2]}. Warp and fuse the same images."
        )
    stages, fused = Stages(restorer, runtime, settings.tiling), []
    for start in range(0, len(clip), restorer.requirements.window):
        part = aligned[start : start + restorer.requirements.window]
        first, stop = int(part.previous.min()), int(part.next.max()) + 1
        latent = stages.fuse(clip[first:stop], part.shifted(-first), settings.fusion, settings.seed, first)
        fused.append(latent.to(clip.device))
        runtime.progress("fuse", start + len(part), len(clip))
    return torch.cat(fused)


def upscale_fused(latent: Tensor, restorer: Restorer, runtime: Runtime, settings: Settings) -> Tensor:
    """Return the latent (T, C, H', W') of `fuse` after the one diffusion step."""
    stages, done = Stages(restorer, runtime, settings.tiling), []
    for part in latent.split(restorer.requirements.window):
        done.append(stages.step(part, None, settings.text))
        runtime.progress("step", sum(map(len, done)), len(latent))
    return torch.cat(done)


def decode(
    latent: Tensor,
    clip: Tensor,
    restorer: Restorer,
    runtime: Runtime,
    settings: Settings,
    *,
    shots: Sequence[int] | None = None,
) -> Tensor:
    """Return the restored clip (T, 3, scale * H, scale * W) in 0..1 of a latent that `upscale` made from `clip`.

    `shots` are the frames of each shot at that time; None = found as `upscale` finds them with these settings.
    """
    scale = restorer.requirements.scale
    restored = clip.new_empty(*clip.shape[:2], *(scale * side for side in clip.shape[-2:]), dtype=torch.float32)
    shots = shots or shot_lengths(clip, settings.tiling.scene_cuts)
    pieces, start = _pieces_of_shots(latent, clip, shots, restorer), 0
    for frames in decode_pieces(pieces, restorer, runtime, settings, len(clip)):
        restored[start : start + len(frames)] = frames
        start += len(frames)
    return restored


def upscale_pieces(
    frames: Iterable[Tensor],
    restorer: Restorer,
    runtime: Runtime,
    settings: Settings,
    total: int | None,
    first: int = 0,
) -> Iterator[Piece]:
    """Yield latents window by window; `first` is the number of the first frame in its video."""
    pieces = _faded_pieces if restorer.fusion is None else _fused_pieces
    done = 0
    for piece in pieces(frames, Stages(restorer, runtime, settings.tiling), settings, total, first):
        done += len(piece.clip)
        runtime.progress("step", done, total)
        yield piece


def decode_pieces(
    pieces: Iterable[Piece], restorer: Restorer, runtime: Runtime, settings: Settings, total: int | None
) -> Iterator[Tensor]:
    """Yield restored frames, a few at a time."""
    stages, shot, color, done = Stages(restorer, runtime, settings.tiling), Shot(), None, 0
    for piece in pieces:
        if piece.starts_shot:
            shot, color = Shot(), None
        rest = piece.clip
        for decoded in stages.decode(piece.latent, piece.clip, shot):
            source, rest = rest[: len(decoded)].to(decoded), rest[len(decoded) :]
            decoded, color = correct(settings.color or restorer.requirements.color, decoded, source, color)
            decoded = decoded.clamp(0, 1)
            if settings.strength < 1:
                decoded = torch.lerp(resize_bicubic(source, *decoded.shape[-2:]), decoded, settings.strength)
            done += len(decoded)
            runtime.progress("decode", done, total, decoded[-1])
            yield decoded


def _faded_pieces(
    frames: Iterable[Tensor], stages: Stages, settings: Settings, total: int | None, first: int
) -> Iterator[Piece]:
    """Take the step in windows; cross-fade the latents that two of them share."""
    size, overlap = plan_windows(stages.restorer, settings.tiling)
    group = stages.needs.frames_per_latent
    later = size + group - 1  # later windows of a shot have no frame that stands alone
    shot, encoded, pending, done = Shot(), None, None, 0
    for window in windows(frames, later, overlap, first=size, scene_cuts=settings.tiling.scene_cuts):
        window = window.shifted(first)
        clip = check_clip(window.clip, first=window.start)
        if window.starts_shot:
            shot = Shot()
        latent = stages.encode(clip[window.head :], shot)
        done += len(clip) - window.head
        stages.runtime.progress("encode", done, total)
        if window.head:
            latent = torch.cat([encoded, latent])
        noise = None
        if stages.needs.noise:
            noise = stages.noise(latent, settings.seed, _numbers(window, len(latent), group))
        restored = stages.step(latent, noise, settings.text)
        if window.head:
            shared = window.head // group
            restored[:shared] = crossfade(pending, restored[:shared])
        final = len(latent) - window.tail // group
        encoded, pending = latent[final:], restored[final:]
        yield Piece(clip[: len(clip) - window.tail], restored[:final], window.starts_shot)


def _numbers(window: Window, latents: int, group: int) -> list[int]:
    """Return a number for each latent frame that is the same in every window: its last frame's in the video."""
    return [window.start + frames_of(n + 1, group, start=window.starts_shot) - 1 for n in range(latents)]


def _fused_pieces(
    frames: Iterable[Tensor], stages: Stages, settings: Settings, total: int | None, first: int
) -> Iterator[Piece]:
    """Restore every frame once; what windows share only shows frames their neighbours."""
    size, overlap = plan_windows(stages.restorer, settings.tiling)
    flow, done = settings.flow or estimator(), 0
    for window, kept in _kept_frames(frames, size, overlap, settings.tiling.scene_cuts):
        window = window.shifted(first)
        clip = check_clip(window.clip, first=window.start)
        aligned = align(clip, flow)[kept]
        latent = stages.fuse(clip, aligned, settings.fusion, settings.seed, window.start)
        done += len(aligned)
        stages.runtime.progress("encode", done, total)
        yield Piece(clip[kept], stages.step(latent, None, settings.text), window.starts_shot)


def _kept_frames(frames: Iterable[Tensor], size: int, overlap: int, scene_cuts: bool) -> Iterator[tuple[Window, slice]]:
    """Yield windows and which of their frames to keep, so that every frame is kept once, far from a window's ends."""
    for window in windows(frames, size, overlap, scene_cuts=scene_cuts):
        yield window, slice(window.head - window.head // 2, len(window.clip) - window.tail // 2)


def _pieces_of_shots(latent: Tensor, clip: Tensor, shots: Sequence[int], restorer: Restorer) -> Iterator[Piece]:
    latents = [latents_of(frames, restorer.requirements.frames_per_latent, start=True) for frames in shots]
    for part, shot in zip(latent.split(latents), clip.split(list(shots))):
        yield Piece(shot, part, starts_shot=True)
