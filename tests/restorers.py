"""Small real restorers for tests: a pointwise one, one that averages over time, and the TINY AdcVSR."""

from collections.abc import Callable
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vsr_core.architectures import os_diffvsr
from vsr_core.architectures.adc_vsr import TINY
from vsr_core.architectures.adc_vsr.config import AdcVSRConfig
from vsr_core.architectures.adc_vsr.network import AdcVSR
from vsr_core.architectures.adc_vsr.restorer import AdcVSRRestorer
from vsr_core.architectures.os_diffvsr.network import OSDiffVSR
from vsr_core.architectures.os_diffvsr.restorer import OSDiffVSRRestorer
from vsr_core.contract import FusionSettings, Requirements
from vsr_core.flow import Aligned, warped_neighbours
from vsr_core.runtime import StandaloneRuntime

NEEDS = Requirements(
    scale=4,
    multiple=4,
    latent_stride=2,
    latent_channels=12,
    frames_per_latent=1,
    noise=False,
    image_latent=False,
    step_mixes_frames=True,
    text_width=0,
    window=5,
    overlap=2,
    tile_overlap=8,
    min_tile=8,
    max_tile=512,
    dtypes=(torch.float32,),
    color="none",
)


class Gain(nn.Module):
    """Multiply by one number, 1 at first."""

    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(()), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gain


class Pointwise:
    """Repeat every pixel 4x4 times. Each output pixel depends on one input pixel of the same frame."""

    architecture = "pointwise"
    stage_parts = {"encode": ("denoiser",), "step": ("denoiser",), "decode": ("decoder",)}
    fusion = None
    with_decoder = None

    def __init__(self, *, bytes_per_pixel: int = 0, **needs):
        self.parts = {"denoiser": Gain(), "decoder": Gain()}
        self.requirements = replace(NEEDS, **needs)
        self.bytes_per_pixel = bytes_per_pixel

    def new_carry(self, stage: str) -> None:
        return None

    def encode(self, clip: Tensor, carry: None = None) -> Tensor:
        return F.pixel_unshuffle(clip, 2)

    def step(self, latent: Tensor, *, noise: Tensor | None = None, text: Tensor | None = None) -> Tensor:
        return self.parts["denoiser"](latent)

    def decode(self, latent: Tensor, clip: Tensor, carry: None = None) -> Tensor:
        return enlarged(F.pixel_shuffle(self.parts["decoder"](latent), 2))

    def memory_bytes(self, stage: str, frames: int, height: int, width: int, dtype: torch.dtype) -> int:
        return frames * height * width * self.bytes_per_pixel


class TemporalMean(Pointwise):
    """Replace every frame by the mean of its window: whatever shares a window shows."""

    def step(self, latent: Tensor, *, noise: Tensor | None = None, text: Tensor | None = None) -> Tensor:
        return latent.mean(0, keepdim=True).repeat(len(latent), 1, 1, 1)


class Seeded(Pointwise):
    """Add noise of the seed."""

    def __init__(self, **needs):
        super().__init__(**{"noise": True, **needs})

    def step(self, latent: Tensor, *, noise: Tensor | None = None, text: Tensor | None = None) -> Tensor:
        return latent + 0.05 * noise


class Changes:
    """Carries a tile's last frame, enlarged or not."""

    def __init__(self):
        self.last: Tensor | None = None

    def to(self, device: torch.device) -> None:
        if self.last is not None:
            self.last = self.last.to(device)

    def __bool__(self) -> bool:
        return self.last is not None

    def next(self, value: Tensor) -> Tensor | None:
        """Return what was carried and carry `value` (1, C, H, W)."""
        before, self.last = self.last, value
        return before


class Causal(Pointwise):
    """Encode a shot's first frame, then the changes of four frames together; nothing of it holds without its past."""

    def __init__(self, **needs):
        super().__init__(**{"frames_per_latent": 4, "latent_channels": 48, "window": 9, "overlap": 4, **needs})

    def new_carry(self, stage: str) -> Changes:
        return Changes()

    def encode(self, clip: Tensor, carry: Changes | None = None) -> Tensor:
        before = (Changes() if carry is None else carry).next(clip[-1:])
        if before is None:
            clip = torch.cat([clip[:1].expand(3, -1, -1, -1) * 0, clip])
            before = clip[:1] * 0
        changes = clip - torch.cat([before, clip[:-1]])
        return F.pixel_unshuffle(changes, 2).unflatten(0, (-1, 4)).flatten(1, 2)

    def decode(self, latent: Tensor, clip: Tensor, carry: Changes | None = None) -> Tensor:
        carry = Changes() if carry is None else carry
        changes = F.pixel_shuffle(latent.unflatten(1, (4, -1)).flatten(0, 1), 2)
        start = carry.last is None
        frames = changes.cumsum(0) + (0 if start else carry.last)
        carry.next(frames[-1:])
        return enlarged(frames[3:] if start else frames)


class NeighbourMean(Pointwise):
    """Replace every frame by the mean of itself and its two aligned neighbours, plus the noise if there is any."""

    def __init__(self, **needs):
        super().__init__(**{"step_mixes_frames": False, "image_latent": True, "window": 7, **needs})
        self.fusion = self

    def sources(self, clip: Tensor, aligned: Aligned, settings: FusionSettings) -> Tensor:
        previous, following = warped_neighbours(clip, aligned)
        return torch.cat([previous, clip[aligned.frame], following])

    def fuse(self, latent: Tensor, aligned: Aligned, settings: FusionSettings, noise: Tensor | None) -> Tensor:
        fused = torch.stack(latent.chunk(3)).mean(0)
        return fused if noise is None else fused + 0.05 * noise


class Watched(StandaloneRuntime):
    """The stand-alone runtime on the CPU with a fixed amount of free memory; keeps what it is told."""

    def __init__(self, *, free: int = 1 << 40, before_tile: Callable[[int], None] = lambda tiles: None):
        super().__init__("cpu", "fp32", self._keep)
        self.free, self.before_tile = free, before_tile
        self.tiles = 0
        self.reports: list[tuple[str, int, int | None]] = []

    def free_memory(self) -> int:
        return self.free

    def check_stopped(self) -> None:
        self.before_tile(self.tiles)
        self.tiles += 1

    def _keep(self, stage: str, done: int, total: int | None, preview: Tensor | None) -> None:
        self.reports.append((stage, done, total))


def enlarged(clip: Tensor) -> Tensor:
    """Repeat every pixel of (T, C, H, W) 4x4 times."""
    return clip.repeat_interleave(4, -1).repeat_interleave(4, -2)


def random_clip(frames: int, height: int = 16, width: int = 16, seed: int = 0) -> Tensor:
    """Return noise (T, 3, H, W) in 0..1."""
    return torch.rand(frames, 3, height, width, generator=torch.Generator().manual_seed(seed))


def tiny_network(config: AdcVSRConfig = TINY, *, temporal: bool = True, seed: int = 0) -> AdcVSR:
    """Return a small AdcVSR with random weights; `temporal` gives the zero-initialised blocks random weights too."""
    torch.manual_seed(seed)
    network = AdcVSR(config)
    if temporal:
        for name, value in network.named_parameters():
            if "_temporal.conv2." in name:
                nn.init.normal_(value, std=0.1)
    return network.eval().requires_grad_(False)


def tiny_restorer(config: AdcVSRConfig = TINY, *, temporal: bool = True, seed: int = 0) -> AdcVSRRestorer:
    """Return `tiny_network` behind the contract."""
    return AdcVSRRestorer(tiny_network(config, temporal=temporal, seed=seed))


def tiny_fusing_restorer() -> OSDiffVSRRestorer:
    """Return a TINY OS-DiffVSR that adds small corrections to bicubic enlargement, as trained weights do."""
    torch.manual_seed(0)
    network = OSDiffVSR(replace(os_diffvsr.TINY, bicubic_skip=True)).eval().requires_grad_(False)
    nn.init.normal_(network.vae.decoder.conv_out.weight, std=0.005)
    return OSDiffVSRRestorer(network)


def trained_restorer() -> AdcVSRRestorer:
    """Return a TINY that adds small corrections to bicubic enlargement, as trained weights do."""
    network = tiny_network(replace(TINY, bicubic_skip=True))
    nn.init.normal_(network.decoder.conv_out.weight, std=0.005)
    return AdcVSRRestorer(network)
