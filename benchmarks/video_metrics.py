"""VMAF and ColorVideoVDP: metrics of whole clips against a reference, by other people's programs.

`pip install --no-deps imageio-ffmpeg cvvdp ffmpeg-python imageio PyEXR OpenEXR` gets both; cvvdp also needs
torchvision, scipy, matplotlib and huggingface_hub. Neither downloads anything when it runs.
"""

import json
import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor

from vsr_core.packages import from_package

FRAMES_PER_SECOND = 25
DISPLAY = "standard_fhd"
"""ColorVideoVDP's 24 inch full HD monitor, seen from 0.6 m."""
TO_LUMA = "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p"


def vmaf(clip: Tensor, reference: Tensor) -> float:
    """Return the mean VMAF (model vmaf_v0.6.1, 0..100) of two clips (T, 3, H, W) in 0..1."""
    ffmpeg = from_package("imageio_ffmpeg", "get_ffmpeg_exe", "VMAF")()
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{clip.shape[-1]}x{clip.shape[-2]}", "-r", "25"]
    graph = f"[0:v]{TO_LUMA}[a];[1:v]{TO_LUMA}[b];[a][b]libvmaf=log_fmt=json:log_path=log.json"
    with TemporaryDirectory() as folder:
        for name, frames in (("clip", clip), ("reference", reference)):
            pixels = (frames * 255).round().byte().permute(0, 2, 3, 1).contiguous()
            (Path(folder) / name).write_bytes(pixels.numpy().tobytes())
        inputs = [*raw, "-i", "clip", *raw, "-i", "reference"]
        command = [ffmpeg, "-v", "error", *inputs, "-lavfi", graph, "-f", "null", "-"]
        subprocess.run(command, cwd=folder, check=True)
        return json.loads((Path(folder) / "log.json").read_text())["pooled_metrics"]["vmaf"]["mean"]


def cvvdp(clip: Tensor, reference: Tensor) -> float:
    """Return ColorVideoVDP's quality in just-objectionable differences below 10 (= as the reference)."""
    quality, _ = _model().predict(clip, reference, dim_order="FCHW", frames_per_second=FRAMES_PER_SECOND)
    return quality.item()


@cache
def _model():
    load = from_package("pycvvdp", "cvvdp", "ColorVideoVDP")
    return load(display_name=DISPLAY, heatmap=None, quiet=True, device=torch.device("cpu"))
