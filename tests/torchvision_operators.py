"""Make torchvision importable where its own build does not fit a CPU-only torch; torchmetrics imports it."""

import torch


def make_torchvision_importable() -> None:
    """Define the operators that torchvision looks for, if it is here and fails without them."""
    try:
        import torchvision  # noqa: F401
    except ImportError:
        return
    except RuntimeError:  # operator torchvision::nms does not exist
        for name in ("nms", "qnms"):
            schema = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
            torch.library.define(f"torchvision::{name}", schema)
