"""The stages of one model for padded clips, cut into the tiles and batches that the free memory allows."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from .clip import crop, pad_bottom_right, padding_to_multiple
from .contract import STAGES, Carry, FusionSettings, Requirements, Restorer, Stage
from .errors import MemoryLimitError, SettingError, VSRError
from .flow import Aligned
from .runtime import Runtime
from .schedulers.noise import frame_noise
from .tiling import Tiling
from .tiling.groups import frames_of, latents_of
from .tiling.plan import frames_at_once, latents_together, plan_grid, plan_windows
from .tiling.run import Box, Grid, run_spans, run_tiles


class Shot:
    """A shot on its way through `encode` or `decode`, piece by piece: its tiles, and what they carry."""

    def __init__(self):
        self.starts = True
        """Whether nothing went through yet."""
        self.grid: Grid | None = None
        """The tiles, once something went through that carries; from then on they stay."""
        self.carries: dict[Box, Carry | None] = {}


class Stages:
    """Loads the parts of a stage, plans its tiles, none larger than those that fitted before, and computes them."""

    def __init__(self, restorer: Restorer, runtime: Runtime, tiling: Tiling):
        self.restorer, self.runtime, self.tiling = restorer, runtime, tiling
        self.needs = restorer.requirements
        self.largest: dict[Stage, int] = {}
        self.most = dict.fromkeys(STAGES, sys.maxsize)
        """Latent frames to compute together at most, since more of them ran out of memory."""

    def encode(self, clip: Tensor, shot: Shot) -> Tensor:
        """Return the latent of the next frames (T, 3, H, W) of `shot`, padded here, on their device.

        The last frames of a shot need not fill a latent frame: the last one is repeated.
        """
        group, start = self.needs.frames_per_latent, shot.starts
        total = latents_of(len(clip), group, start=start)
        clip = lengthened(padded(clip, self.needs), frames_of(total, group, start=start))

        def compute(part: slice, box: Box) -> Tensor:
            frames = box.cut(clip[frames_slice(part, group, start)]).to(self.runtime.device)
            with self._carried("encode", shot, box, clip) as carry:
                return self.restorer.encode(frames, carry)

        parts = self._batches("encode", total, 1, clip.shape[-2:], clip.device, compute, shot)
        return torch.cat([part.to(clip.device) for part in parts])

    def fuse(self, clip: Tensor, aligned: Aligned, settings: FusionSettings, seed: int, first: int) -> Tensor:
        """Return the fused latent of the frames that `aligned` describes in `clip`, whose own number is `first`."""
        device = self.runtime.device
        clip, aligned = clip.to(device), aligned.to(device)
        latent = self.encode(self.restorer.fusion.sources(clip, aligned, settings), Shot())
        noise = None
        if settings.sample:
            noise = self.noise(latent, seed, [first + frame for frame in aligned.frame.tolist()]).to(device)
        return self.restorer.fusion.fuse(latent, aligned, settings, noise)

    def noise(self, latent: Tensor, seed: int, frames: list[int]) -> Tensor:
        """Return the noise of frames with these numbers, of the size of `latent`, on the CPU."""
        return frame_noise((self.needs.latent_channels, *latent.shape[-2:]), seed, frames)

    def step(self, latent: Tensor, noise: Tensor | None, text: Tensor | None) -> Tensor:
        """Return the latent after the diffusion step, on the device it came on.

        `latent` is a whole window where frames are mixed. Unless the user chose its length, one that does not fit into
        memory even in the smallest tiles is taken in shorter ones, which share frames.
        """
        if text is not None:
            check_text(text, self.needs)
        stride, shared = self.needs.latent_stride, self.needs.overlap // self.needs.frames_per_latent
        height, width = (side * stride for side in latent.shape[-2:])
        together = self._together(len(latent), height, width)
        while True:
            try:
                return run_spans(lambda span: self._step(latent, noise, text, span), len(latent), together, shared)
            except MemoryLimitError:
                if together == 1 or not self._shortens:
                    raise
            together = self.most["step"] = -(-together // 2)
            self.runtime.empty_cache()

    def decode(self, latent: Tensor, clip: Tensor, shot: Shot) -> Iterator[Tensor]:
        """Yield the frames of the next latent frames of `shot`, a few at a time.

        `clip` (T, 3, H, W) is their input; as many frames come out, at exactly scale times its size.
        """
        group, start = self.needs.frames_per_latent, shot.starts
        height, width = (self.needs.scale * side for side in clip.shape[-2:])
        left = len(clip)
        clip = lengthened(padded(clip, self.needs), frames_of(len(latent), group, start=start))

        def compute(part: slice, box: Box) -> Tensor:
            cells = box.cut(latent[part], 1, self.needs.latent_stride).to(self.runtime.device)
            frames = box.cut(clip[frames_slice(part, group, start)]).to(self.runtime.device)
            with self._carried("decode", shot, box, clip) as carry:
                return self.restorer.decode(cells, frames, carry)

        for frames in self._batches("decode", len(latent), 1, clip.shape[-2:], self.runtime.device, compute, shot):
            if not frames.isfinite().all():
                raise VSRError(
                    f"The network gave NaN or infinite pixels in {self._dtype}. Choose dtype fp32 (or bf16); if that "
                    "does not help, the model file is damaged."
                )
            yield crop(frames[:left], height, width)
            left -= len(frames)

    def free_memory(self, height: int, width: int) -> int:
        """Return the bytes that every stage may count on for frames of `height` x `width`, its parts loaded."""
        window, free = plan_windows(self.restorer, self.tiling).window, []
        for stage in self.restorer.stage_parts:
            whole = stage == "step" and self.needs.step_mixes_frames
            self._load(stage, window if whole else self.needs.frames_per_latent, height, width)
            free.append(self._free())
        return min(free)

    def _together(self, total: int, height: int, width: int) -> int:
        """Return how many of `total` latent frames to take the step of together."""
        if not self._shortens:
            return total
        self._load("step", total * self.needs.frames_per_latent, height, width)
        fitting = latents_together(
            self.restorer, self.tiling, total, height=height, width=width, dtype=self._dtype, free=self._free()
        )
        return min(fitting, self.most["step"])

    def _step(self, latent: Tensor, noise: Tensor | None, text: Tensor | None, span: slice) -> Tensor:
        stride, device = self.needs.latent_stride, self.runtime.device
        latent, noise = (None if whole is None else whole[span] for whole in (latent, noise))
        together = len(latent) if self.needs.step_mixes_frames else 1

        def compute(part: slice, box: Box) -> Tensor:
            cells, drawn = (
                None if whole is None else box.cut(whole[part], 1, stride).to(device) for whole in (latent, noise)
            )
            return self.restorer.step(cells, noise=drawn, text=text)

        size = tuple(side * stride for side in latent.shape[-2:])
        parts = self._batches("step", len(latent), together, size, latent.device, compute, Shot())
        return torch.cat([part.to(latent.device) for part in parts])

    @torch.no_grad()
    def _batches(
        self,
        stage: Stage,
        total: int,
        least: int,
        size: tuple[int, ...],
        store: torch.device,
        compute: Callable[[slice, Box], Tensor],
        shot: Shot,
    ) -> Iterator[Tensor]:
        """Yield the results of `compute` on all tiles, for as many of `total` latent frames at once as fit.

        On lack of memory fewer are computed at once, down to `least`, before tiles become smaller: that changes nothing
        in the result. `size` is that of the padded frames; see `run_tiles` for `store`.
        """
        grid = self._plan(stage, least, *size, shot)
        count = min(max(least, self._at_once(stage, grid)), total)
        start = 0
        while start < total:
            part = slice(start, min(start + count, total))
            work = self._timed(stage, compute, part)
            fewer_first = count > least and not any(shot.carries.values())
            attempt = grid._replace(least=grid.tile) if fewer_first else grid
            try:
                result, tile = run_tiles(work, attempt, self.runtime, store, restart=shot.carries.clear)
            except MemoryLimitError:
                if not fewer_first:
                    raise
                count = self.most[stage] = max(least, count // 2)
                shot.carries.clear()
                self.runtime.empty_cache()
                continue
            start = part.stop
            self.largest[stage] = tile
            grid = grid._replace(tile=tile)
            shot.starts = False
            if any(shot.carries.values()):
                grid = shot.grid = grid._replace(least=tile)
            yield result

    @contextmanager
    def _carried(self, stage: Stage, shot: Shot, box: Box, clip: Tensor) -> Iterator[Carry | None]:
        """Lend what a tile carries; where there are others, it waits for the next call on the device of `clip`."""
        if box not in shot.carries:
            shot.carries[box] = self.restorer.new_carry(stage)
        carry = shot.carries[box]
        if carry is not None:
            carry.to(self.runtime.device)
        yield carry
        if carry is not None and (box.rows.length, box.columns.length) != clip.shape[-2:]:
            carry.to(clip.device)

    def _timed(self, stage: Stage, compute: Callable[[slice, Box], Tensor], part: slice) -> Callable[[Box], Tensor]:
        def run(box: Box) -> Tensor:
            with self.runtime.timed(stage):
                return compute(part, box)

        return run

    def _at_once(self, stage: Stage, grid: Grid) -> int:
        """Return how many latent frames of one tile to compute together."""
        device = self.runtime.device
        frames = frames_at_once(self.restorer, stage, grid, self._dtype, free=self._free(), device=device)
        return min(frames // self.needs.frames_per_latent, self.most[stage])

    def _plan(self, stage: Stage, latents: int, height: int, width: int, shot: Shot) -> Grid:
        """Load the parts of a stage and choose its tiles."""
        frames = latents * self.needs.frames_per_latent
        self._load(stage, frames, height, width)
        if shot.grid:
            return shot.grid
        grid = plan_grid(
            self.restorer,
            stage,
            self.tiling,
            frames=frames,
            height=height,
            width=width,
            dtype=self._dtype,
            free=self._free(),
        )
        return grid._replace(tile=min(grid.tile, self.largest.get(stage, grid.tile)))

    def _load(self, stage: Stage, frames: int, height: int, width: int) -> None:
        memory = self.restorer.memory_bytes(stage, frames, height, width, self._dtype)
        self.runtime.load([self.restorer.parts[name] for name in self.restorer.stage_parts[stage]], memory)

    def _free(self) -> int:
        return self.runtime.free_memory() if self.tiling.memory is None else self.tiling.memory

    @property
    def _shortens(self) -> bool:
        """Return whether the step may take fewer frames together than it is given."""
        return self.needs.step_mixes_frames and self.tiling.window is None

    @property
    def _dtype(self) -> torch.dtype:
        return next(next(iter(self.restorer.parts.values())).parameters()).dtype


def padded(clip: Tensor, needs: Requirements) -> Tensor:
    """Return `clip` (T, 3, H, W) extended to the multiple that the network needs."""
    bottom, right = (padding_to_multiple(side, needs.multiple) for side in clip.shape[-2:])
    return pad_bottom_right(clip, bottom, right)


def lengthened(clip: Tensor, frames: int) -> Tensor:
    """Return `clip` with its last frame repeated so that there are `frames`."""
    if len(clip) == frames:
        return clip
    return torch.cat([clip, clip[-1:].expand(frames - len(clip), -1, -1, -1)])


def frames_slice(latents: slice, group: int, start: bool) -> slice:
    """Return the frames that a slice of latent frames stands for; `start`: latent frame 0 begins a shot."""
    return slice(*(frames_of(number, group, start=start) for number in (latents.start, latents.stop)))


def check_text(text: Tensor, needs: Requirements) -> None:
    """Raise SettingError if the model does not take this text embedding (1, tokens, channels)."""
    if not needs.text_width:
        raise SettingError("This model takes no text. Remove the text conditioning.")
    if text.ndim != 3 or text.shape[0] != 1 or text.shape[-1] != needs.text_width:
        raise SettingError(
            f"The text conditioning is shaped {tuple(text.shape)}; this model takes (1, tokens, {needs.text_width}). "
            "Encode the text with the text encoder of the model's own base (1024 channels: Stable Diffusion 2.1; "
            "768: 1.5; 2048: SDXL; 4096: Wan)."
        )
