"""Let the CUDA builds of torchvision and torchaudio from PyPI be imported beside a CPU build of torch."""

import importlib.abc
import importlib.machinery
import importlib.util
import sys
import types


class CpuTorchFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Define the operators that torchvision registers against, and stand in for torchaudio's CUDA check."""

    def find_spec(self, name, path=None, target=None):
        if name == "torchvision":
            define_torchvision_operators()
        if name == "torchaudio._extension" and torch_is_cpu_only():
            return importlib.machinery.ModuleSpec(name, self)
        return None

    def create_module(self, spec):
        module = types.ModuleType(spec.name)
        module._IS_TORCHAUDIO_EXT_AVAILABLE = module._IS_ALIGN_AVAILABLE = False
        module.fail_if_no_align = lambda function: function
        module._check_cuda_version = lambda: None
        return module

    def exec_module(self, module):
        pass


def torch_is_cpu_only():
    import torch

    return torch.version.cuda is None and torch.version.hip is None


def define_torchvision_operators():
    if torch_is_cpu_only():
        import torch

        signature = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
        for name in ("nms", "qnms"):
            torch.library.define(f"torchvision::{name}", signature)


sys.meta_path.insert(0, CpuTorchFinder())
