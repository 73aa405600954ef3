"""The stages of one model for padded clips, cut into the tiles and batches that the free memory allows."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from .clip import crop, pad_bottom_right, padding_to_multiple
from .contract import FusionSettings, Requirements, Restorer, Stage
from .errors import SettingError, VSRError
from .flow import Aligned
from .runtime import Runtime
from .schedulers.noise import frame_noise
from .tiling import Tiling
from .tiling.plan import frames_at_once, plan_grid
from .tiling.run import Box, Grid, run_tiles


class Stages:
    """Loads the parts of a stage, plans its tiles, none larger than those that fitted before, and computes them."""

    def __init__(self, restorer: Restorer, runtime: Runtime, tiling: Tiling):
        self.restorer, self.runtime, self.tiling = restorer, runtime, tiling
        self.needs = restorer.requirements
        self.largest: dict[Stage, int] = {}

    def encode(self, clip: Tensor) -> Tensor:
        """Return the latent of frames (N, 3, H, W), padded here, on their device."""
        clip = padded(clip, self.needs)
        parts = self._batches("encode", clip.shape, 1, self._encode_tile, clip)
        return torch.cat([part.to(clip.device) for part in parts])

    def fuse(self, clip: Tensor, aligned: Aligned, settings: FusionSettings, seed: int, first: int) -> Tensor:
        """Return the fused latent of the frames that `aligned` describes in `clip`, whose own number is `first`."""
        device = self.runtime.device
        clip, aligned = clip.to(device), aligned.to(device)
        latent = self.encode(self.restorer.fusion.sources(clip, aligned, settings))
        noise = None
        if settings.sample:
            shape = (self.needs.latent_channels, *latent.shape[-2:])
            noise = frame_noise(shape, seed, [first + frame for frame in aligned.frame.tolist()]).to(device)
        return self.restorer.fusion.fuse(latent, aligned, settings, noise)

    def step(self, latent: Tensor, seed: int, text: Tensor | None) -> Tensor:
        """Return the latent after the diffusion step, on the device it came on."""
        if text is not None:
            check_text(text, self.needs)
        stride = self.needs.latent_stride
        size = (len(latent), 3, latent.shape[-2] * stride, latent.shape[-1] * stride)
        together = len(latent) if self.needs.step_mixes_frames else 1

        def compute(box: Box, part: Tensor) -> Tensor:
            cells = box.cut(part, 1, stride).to(self.runtime.device)
            return self.restorer.step(cells, seed=seed, text=text)

        return torch.cat([part.to(latent.device) for part in self._batches("step", size, together, compute, latent)])

    def decode(self, latent: Tensor, clip: Tensor) -> Iterator[Tensor]:
        """Yield the frames of `latent`, a few at a time, at exactly scale times the size of `clip` (T, 3, H, W)."""
        whole = padded(clip, self.needs)
        height, width = (self.needs.scale * side for side in clip.shape[-2:])
        for frames in self._batches("decode", whole.shape, 1, self._decode_tile, latent, whole):
            if not frames.isfinite().all():
                raise VSRError(
                    f"The network gave NaN or infinite pixels in {self._dtype}. Choose dtype fp32 (or bf16); if that "
                    "does not help, the model file is damaged."
                )
            yield crop(frames, height, width)

    def _encode_tile(self, box: Box, clip: Tensor) -> Tensor:
        return self.restorer.encode(box.cut(clip).to(self.runtime.device))

    def _decode_tile(self, box: Box, latent: Tensor, clip: Tensor) -> Tensor:
        cells = box.cut(latent, 1, self.needs.latent_stride).to(self.runtime.device)
        return self.restorer.decode(cells, box.cut(clip).to(self.runtime.device))

    @torch.no_grad()
    def _batches(
        self, stage: Stage, size: tuple[int, ...], least: int, compute: Callable[..., Tensor], *clips: Tensor
    ) -> Iterator[Tensor]:
        """Yield the results of `compute` on all tiles, for as many frames at once as fit, at least `least`."""
        grid = self._plan(stage, least, *size[-2:])
        store = self.runtime.device if stage == "decode" else clips[0].device
        fitting = frames_at_once(
            self.restorer, stage, grid, self._dtype, free=self.runtime.free_memory(), device=self.runtime.device
        )
        count = max(least, fitting)
        for parts in zip(*(clip.split(count) for clip in clips)):
            result, self.largest[stage] = run_tiles(self._timed(stage, compute, parts), grid, self.runtime, store)
            grid = grid._replace(tile=self.largest[stage])
            yield result

    def _timed(
        self, stage: Stage, compute: Callable[..., Tensor], parts: tuple[Tensor, ...]
    ) -> Callable[[Box], Tensor]:
        def run(box: Box) -> Tensor:
            with self.runtime.timed(stage):
                return compute(box, *parts)

        return run

    def _plan(self, stage: Stage, frames: int, height: int, width: int) -> Grid:
        memory = self.restorer.memory_bytes(stage, frames, height, width, self._dtype)
        self.runtime.load([self.restorer.parts[name] for name in self.restorer.stage_parts[stage]], memory)
        grid = plan_grid(
            self.restorer,
            stage,
            self.tiling,
            frames=frames,
            height=height,
            width=width,
            dtype=self._dtype,
            free=self.runtime.free_memory(),
        )
        return grid._replace(tile=min(grid.tile, self.largest.get(stage, grid.tile)))

    @property
    def _dtype(self) -> torch.dtype:
        return next(next(iter(self.restorer.parts.values())).parameters()).dtype


def padded(clip: Tensor, needs: Requirements) -> Tensor:
    """Return `clip` (T, 3, H, W) extended to the multiple that the network needs."""
    bottom, right = (padding_to_multiple(side, needs.multiple) for side in clip.shape[-2:])
    return pad_bottom_right(clip, bottom, right)


def check_text(text: Tensor, needs: Requirements) -> None:
    """Raise SettingError if the model does not take this text embedding (1, tokens, channels)."""
    if not needs.text_width:
        raise SettingError("This model takes no text. Remove the text conditioning.")
    if text.ndim != 3 or text.shape[0] != 1 or text.shape[-1] != needs.text_width:
        raise SettingError(
            f"The text conditioning is shaped {tuple(text.shape)}; this model takes (1, tokens, {needs.text_width}). "
            "Encode the text with the text encoder of the model's own base (1024 channels: Stable Diffusion 2.1; "
            "768: 1.5; 2048: SDXL)."
        )
