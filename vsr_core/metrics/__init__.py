"""How good an upscaled clip is, by the metrics in `catalog`; docs/metrics.md tells how the papers use them.

Every metric is a function on clips (T, 3, H, W) in 0..1 that returns one value per frame (E*_warp: per pair
of frames; DOVER: per clip); `measure` streams long clips through several of them.
"""

from .catalog import METRICS, load_scores
from .fidelity import psnr, ssim
from .measure import ClipResult, average, measure
from .naturalness import load_niqe, niqe
from .perceptual import load_lpips
from .warping import warping_error

__all__ = [
    "METRICS",
    "ClipResult",
    "average",
    "load_lpips",
    "load_niqe",
    "load_scores",
    "measure",
    "niqe",
    "psnr",
    "ssim",
    "warping_error",
]
