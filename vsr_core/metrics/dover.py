"""DOVER (Wu et al.: Exploring Video Quality Assessment on User Generated Contents from Aesthetic and Technical
Perspectives, 2023), by onnxruntime.

Its code asks for torch 1.13 and decord, so the network comes as the ONNX file that this code exports. Differs from the
original: the random places that it samples are drawn from a fixed seed, so that a clip always gets the same value.
"""

from collections.abc import Callable, Sequence
from math import exp
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from ..clip import check_clip
from ..packages import from_package
from .weights import find_weights

WEIGHTS_FILE = "dover.onnx"
HOW_TO_GET = (
    "Make it with convert_to_onnx.py of https://github.com/VQAssessment/DOVER (non-commercial licence), which calls it "
    "onnx_dover.onnx,"
)
FRAMES, INTERVAL = 32, 2
SIDE, GRID, FRAGMENT = 224, 7, 32
"""Pixels of a view; it has GRID x GRID fragments of FRAGMENT x FRAGMENT pixels."""
CLIPS = 3
"""Technical views of one clip, where the file does not fix their number."""
MEAN, DEVIATION = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)  # of ImageNet, in 0..255

Network = Callable[[Tensor, Tensor], Sequence[Tensor]]
"""Map the aesthetic view (1, 3, 32, 224, 224) and the technical ones (N, 3, 32, 224, 224) to the scores of both."""


def load_dover(folder: Path) -> Callable[[Tensor], float]:
    """Return `dover(clip)` with the network in `folder`/dover.onnx.

    Raises MissingPackageError if onnxruntime or the file is absent.
    """
    runtime = from_package("onnxruntime", None, "DOVER")
    path = find_weights(folder, WEIGHTS_FILE, HOW_TO_GET)
    session = runtime.InferenceSession(str(path), providers=runtime.get_available_providers())
    [clips] = (entry.shape[0] for entry in session.get_inputs() if entry.name == "tech_view")

    def network(aesthetic: Tensor, technical: Tensor) -> list[Tensor]:
        views = {"aes_view": aesthetic.numpy(), "tech_view": technical.numpy()}
        return [torch.from_numpy(score) for score in session.run(None, views)]

    return lambda clip: dover(clip, network, clips if isinstance(clips, int) else CLIPS)


def dover(clip: Tensor, network: Network, clips: int = CLIPS) -> float:
    """Return the fused quality of a clip (T, 3, H, W) in 0..1: 0..1, higher is better."""
    check_clip(clip)
    generator = torch.Generator().manual_seed(0)
    aesthetic = aesthetic_view(clip, generator)[None]
    technical = torch.stack([technical_view(clip, generator) for _ in range(clips)])
    return fuse(*(score.double().mean().item() for score in network(aesthetic, technical)))


def fuse(aesthetic: float, technical: float) -> float:
    """Weight both scores as the authors' evaluation does, and map them to 0..1."""
    total = 0.6104 * (technical - 0.1107) / 0.07355 + 0.3896 * (aesthetic + 0.08285) / 0.03774
    return 1 / (1 + exp(-total))


def aesthetic_view(clip: Tensor, generator: torch.Generator) -> Tensor:
    """Return one frame out of each of 32 equal parts of the clip, resized: (3, 32, 224, 224), normalized."""
    part = len(clip) // FRAMES
    inside = _random(part - INTERVAL, (FRAMES,), generator)
    frames = clip[(torch.arange(FRAMES) * part + inside) % len(clip)]
    return _normalized(F.interpolate(frames.float(), (SIDE, SIDE), mode="bilinear", antialias=True))


def technical_view(clip: Tensor, generator: torch.Generator) -> Tensor:
    """Return fragments in full resolution of every other of 64 frames: (3, 32, 224, 224), normalized."""
    first = _random(len(clip) - FRAMES * INTERVAL, (1,), generator)
    frames = clip[(first + torch.arange(FRAMES) * INTERVAL) % len(clip)].float()
    shortest = min(frames.shape[-2:])
    if shortest < SIDE:
        frames = F.interpolate(frames, scale_factor=SIDE / shortest, mode="bilinear")
    return _normalized(fragments(frames, generator))


def fragments(frames: Tensor, generator: torch.Generator) -> Tensor:
    """Cut one patch out of each cell of a grid, the same of every frame, and join them: (T, C, 224, 224)."""
    tops, lefts = (_places(side, generator) for side in frames.shape[-2:])
    rows = [
        torch.cat([frames[..., top : top + FRAGMENT, left : left + FRAGMENT] for top, left in zip(*pair)], dim=-1)
        for pair in zip(tops.tolist(), lefts.T.tolist())
    ]
    return torch.cat(rows, dim=-2)


def _places(side: int, generator: torch.Generator) -> Tensor:
    """Return where the patches start along one axis: (GRID, GRID), along this axis first."""
    cell = side // GRID
    starts = torch.tensor([min(cell * i, side - FRAGMENT) for i in range(GRID)])
    return starts[:, None] + _random(cell - FRAGMENT, (GRID, GRID), generator)


def _random(end: int, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Return whole numbers below `end`, 0 if there are none."""
    return torch.randint(max(1, end), shape, generator=generator)


def _normalized(frames: Tensor) -> Tensor:
    """Turn (T, 3, H, W) in 0..1 into (3, T, H, W) as the network takes it."""
    mean, deviation = (torch.tensor(values).view(3, 1, 1) for values in (MEAN, DEVIATION))
    return ((255 * frames - mean) / deviation).transpose(0, 1).contiguous()
