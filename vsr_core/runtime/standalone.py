"""Our own policy for runs outside ComfyUI."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import psutil
import torch
from torch import Tensor, nn

from ..errors import SettingError

DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")
"""What torch says on MPS, and on the CPU under Linux and Windows, where it raises a plain RuntimeError."""

Progress = Callable[[str, int, int | None, Tensor | None], None]


class StandaloneRuntime:
    """Computes on one device; parts that are not needed give way when memory is short."""

    def __init__(self, device: str = "auto", dtype: str = "auto", progress: Progress | None = None):
        """Choose `device` auto, cpu, cuda or mps and `dtype` auto, fp32, fp16 or bf16. Raises SettingError."""
        self.device = choose_device(device)
        if dtype != "auto" and dtype not in DTYPES:
            raise SettingError(f"Unknown dtype {dtype!r}; choose auto, {', '.join(DTYPES)}.")
        self._dtype = dtype
        self._progress = progress
        self._loaded: list[nn.Module] = []
        self.seconds = dict.fromkeys(("encode", "step", "decode"), 0.0)

    def dtype(self, supported: Sequence[torch.dtype]) -> torch.dtype:
        if self._dtype != "auto":
            return DTYPES[self._dtype]
        return next((dtype for dtype in supported if runs_fast(self.device, dtype)), torch.float32)

    def load(self, parts: Sequence[nn.Module], memory: int) -> None:
        wanted = [part for part in parts if not _is_on(part, self.device)]
        needed = sum(_bytes(part) for part in wanted) + memory
        for part in [part for part in self._loaded if part not in parts]:
            if self.device.type == "cpu" or self.free_memory() >= needed:
                break
            part.to("cpu")
            self._loaded.remove(part)
            self.empty_cache()
        for part in wanted:
            part.to(self.device)
        self._loaded += [part for part in parts if part not in self._loaded]

    def free_memory(self) -> int:
        if self.device.type == "cuda":
            cached = torch.cuda.memory_reserved(self.device) - torch.cuda.memory_allocated(self.device)
            return torch.cuda.mem_get_info(self.device)[0] + cached
        return psutil.virtual_memory().available

    def is_out_of_memory(self, error: BaseException) -> bool:
        said = str(error).lower() if isinstance(error, RuntimeError) else ""
        return isinstance(error, torch.OutOfMemoryError) or any(words in said for words in OUT_OF_MEMORY)

    def empty_cache(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        elif self.device.type == "mps":
            torch.mps.empty_cache()

    def check_stopped(self) -> None:
        """Do nothing: Ctrl-C raises KeyboardInterrupt by itself."""

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the block's time to `seconds[stage]`."""
        self._wait()
        start = time.perf_counter()
        yield
        self._wait()
        self.seconds[stage] += time.perf_counter() - start

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def progress(self, stage: str, done: int, total: int | None, preview: Tensor | None = None) -> None:
        if self._progress:
            self._progress(stage, done, total, preview)


def choose_device(name: str) -> torch.device:
    """Return the device called `name`, the best one for auto. Raises SettingError if it is not there."""
    present = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device(next(kind for kind in ("cuda", "mps", "cpu") if present[kind]))
    if name not in present:
        raise SettingError(f"Unknown device {name!r}; choose auto, {', '.join(present)}.")
    if not present[name]:
        raise SettingError(f"Device {name} is not available here; use --device cpu, or install a torch that has it.")
    return torch.device(name)


def runs_fast(device: torch.device, dtype: torch.dtype) -> bool:
    """Tell whether `device` computes faster in `dtype` than in float32 and has all operations for it."""
    if dtype == torch.float32:
        return True
    if device.type == "cuda":
        return dtype == torch.float16 or torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type == "mps":
        return dtype == torch.float16
    return dtype == torch.bfloat16 and _cpu_has_bf16()


def _cpu_has_bf16() -> bool:
    return any(
        getattr(torch.cpu, f"_is_{instructions}_supported", bool)() for instructions in ("avx512_bf16", "amx_tile")
    )


def _bytes(part: nn.Module) -> int:
    return sum(value.nbytes for value in part.parameters())


def _is_on(part: nn.Module, device: torch.device) -> bool:
    return next(part.parameters()).device.type == device.type
