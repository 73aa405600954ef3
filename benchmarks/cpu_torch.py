"""Run `python -m vsr_core` beside a CPU-only torch, whose torchvision from PyPI cannot be imported.

    python benchmarks/cpu_torch.py evaluate SR --hr HR --lr LR ...
    python benchmarks/cpu_torch.py train os_diffvsr/adjacent_frame --config small ...

LPIPS takes from torchvision only the layers of AlexNet, so operators that exist but cannot run are enough.
"""

import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from vsr_core.cli.main import main  # noqa: E402


def make_torchvision_importable() -> None:
    """Define the operators torchvision looks for while it is imported, if its own build cannot be loaded."""
    try:
        import torchvision  # noqa: F401
    except ImportError:
        return
    except RuntimeError:  # operator torchvision::nms does not exist
        for name in ("nms", "qnms"):
            schema = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
            torch.library.define(f"torchvision::{name}", schema)


if __name__ == "__main__":
    make_torchvision_importable()
    sys.exit(main(sys.argv[1:]))
