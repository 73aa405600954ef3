"""A device that computes on the CPU and is strict as a GPU is: finds tensors on the wrong device where there is no GPU.

Its tensors wrap those of the CPU. An operation on some of its tensors and some of the CPU's raises; copies, numbers
and indices may cross. There is no autocast on it. To import this adds the device to the process.
"""

import types
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils import backend_registration
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

NAME = "pretended"
ATEN = torch.ops.aten
INDEXING = {ATEN.index.Tensor, ATEN.index_put.default, ATEN.index_put_.default, ATEN._index_put_impl_.default}


class DeviceModule(types.ModuleType):
    """What torch asks of `torch.<device>`."""

    def is_available(self) -> bool:
        return True

    def is_initialized(self) -> bool:
        return True

    def current_device(self) -> int:
        return 0

    def device_count(self) -> int:
        return 1

    def _is_in_bad_fork(self) -> bool:
        return False

    def manual_seed_all(self, seed: int) -> None:
        """There is no generator."""


class Pretended(Tensor):
    """A tensor on the device; `inner` holds its values."""

    @staticmethod
    def __new__(cls, inner: Tensor):
        return Tensor._make_wrapper_subclass(
            cls,
            inner.size(),
            strides=inner.stride(),
            storage_offset=inner.storage_offset(),
            dtype=inner.dtype,
            device=torch.device(NAME, 0),
        )

    def __init__(self, inner: Tensor):
        self.inner = inner

    @classmethod
    def __torch_dispatch__(cls, operation, types, args=(), kwargs=None):
        return compute(operation, args, kwargs or {})


def compute(operation: Any, args: tuple, kwargs: dict) -> Any:
    """Run one operation on the device that its tensors are on, or that it is told to."""
    tensors = [value for value in tree_leaves((args, kwargs)) if isinstance(value, Tensor)]
    there = [value for value in tensors if isinstance(value, Pretended)]
    inner_args, inner = tree_map(inner_of, args), tree_map(inner_of, kwargs)
    if operation is ATEN.copy_.default:
        operation(*inner_args, **inner)
        return args[0]
    if there and operation is not ATEN._to_copy.default:
        compared = args[:1] if operation in INDEXING else tensors
        if any(value.ndim and not isinstance(value, Pretended) for value in compared):
            raise RuntimeError(f"{operation} of tensors on {', '.join(sorted({str(each.device) for each in tensors}))}")
    told = inner.get("device")
    if told is not None:
        inner["device"] = torch.device("cpu")
    result = operation(*inner_args, **inner)
    if torch.device(told).type != NAME if told is not None else not there:
        return result
    known = {id(value.inner): value for value in there}  # what an operation in place returns

    def outer(value: Any) -> Any:
        if not isinstance(value, Tensor):
            return value
        return known[id(value)] if id(value) in known else Pretended(value)

    return tree_map(outer, result)


def inner_of(value: Any) -> Any:
    return value.inner if isinstance(value, Pretended) else value


class Dispatch(TorchDispatchMode):
    """Makes tensors there, which no operation on one asks for."""

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        return compute(operation, args, kwargs or {})


class Functions(TorchFunctionMode):
    """What torch does not hand to a dispatcher: tensors from numbers, and back."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if function is torch.tensor and NAME in str(kwargs.get("device")):
            return function(*args, **{**kwargs, "device": "cpu"}).to(NAME)
        if function in (Tensor.new_tensor, Tensor.tolist) and isinstance(args[0], Pretended):
            result = function(args[0].inner, *args[1:], **kwargs)
            return result.to(NAME) if isinstance(result, Tensor) else result
        return function(*args, **kwargs)


@contextmanager
def pretended_device():
    """Let operations inside be on the device, too."""
    with ExitStack() as modes:
        modes.enter_context(Dispatch())
        modes.enter_context(Functions())
        yield


# Autograd asks once how many devices there are.
backend_registration._setup_privateuseone_for_python_backend(NAME, DeviceModule(NAME))
