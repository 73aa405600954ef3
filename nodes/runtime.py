"""The library's `Runtime`, answered by ComfyUI's model management. Calls that differ by version live here."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import comfy.model_management as management
import comfy.model_patcher
import comfy.utils
import torch
from PIL import Image
from torch import Tensor, nn

from ..vsr_core.runtime import FrameCounter
from ..vsr_core.runtime.standalone import DTYPES

PREVIEW_SIDE = 512


def choose_dtype(name: str, supported: Sequence[torch.dtype]) -> torch.dtype:
    """Return the dtype called `name`; for "auto" what ComfyUI prefers among `supported`, else float32."""
    if name != "auto":
        return DTYPES[name]
    preferred = management.unet_dtype(management.get_torch_device(), supported_dtypes=list(supported))
    return preferred if preferred in supported else torch.float32


def manage_parts(parts: Iterable[nn.Module]) -> Mapping[nn.Module, Any]:
    """Put each of `parts` under ComfyUI's memory management."""
    patcher = getattr(comfy.model_patcher, "CoreModelPatcher", comfy.model_patcher.ModelPatcher)
    device, offload = management.get_torch_device(), management.unet_offload_device()
    return {part: patcher(part, load_device=device, offload_device=offload) for part in parts}


class ComfyRuntime:
    """Computes one node's run where and how ComfyUI wants it."""

    def __init__(self, patchers: Mapping[nn.Module, Any], stages: Iterable[str], previews: bool = True):
        """Take what ComfyUI's memory management knows each part by that the run may load, and what the node does.

        `stages` are those that the node's bar is over, in their order; others do not move it. Without
        `previews` the node shows no frames meanwhile: the editor shows the last of them rather than a node's own
        picture.
        """
        self.patchers = patchers
        self.counter = FrameCounter(stages)
        self.previews = previews
        self.device = management.get_torch_device()
        self.bar = comfy.utils.ProgressBar(1)

    def dtype(self, supported: Sequence[torch.dtype]) -> torch.dtype:
        return choose_dtype("auto", supported)

    def load(self, parts: Sequence[nn.Module], memory: int) -> None:
        patchers = [self.patchers[part] for part in parts]
        management.load_models_gpu(patchers, memory_required=memory, force_full_load=True)

    def free_memory(self) -> int:
        return int(management.get_free_memory(self.device))

    def is_out_of_memory(self, error: BaseException) -> bool:
        if hasattr(management, "is_oom"):
            return management.is_oom(error)
        return isinstance(error, management.OOM_EXCEPTION)

    def empty_cache(self) -> None:
        management.soft_empty_cache()

    def check_stopped(self) -> None:
        management.throw_exception_if_processing_interrupted()

    def timed(self, stage: str) -> AbstractContextManager:
        """Do nothing: ComfyUI measures nodes itself."""
        return nullcontext()

    def progress(self, stage: str, done: int, total: int | None, preview: Tensor | None = None) -> None:
        if total is None or stage not in self.counter:
            return
        image = None if preview is None or not self.previews else ("JPEG", preview_image(preview), PREVIEW_SIDE)
        self.bar.update_absolute(self.counter.update(stage, done), total, image)

    def hand_over(self, tensor: Tensor) -> Tensor:
        """Return `tensor` on the device that ComfyUI keeps results on."""
        return tensor.to(management.intermediate_device())

    def hand_over_image(self, image: Tensor) -> Tensor:
        """Return `image` on the device and in the dtype that ComfyUI keeps images in."""
        dtype = getattr(management, "intermediate_dtype", lambda: torch.float32)()
        return self.hand_over(image).to(dtype)


def show_text(text: str, node_id: str) -> None:
    """Show `text` on a node, where there is an editor that can do that."""
    from server import PromptServer

    show = getattr(getattr(PromptServer, "instance", None), "send_progress_text", None)
    if show is not None:
        show(text, node_id)


def preview_image(frame: Tensor) -> Image.Image:
    """Return a frame (3, H, W) in 0..1 as a picture."""
    levels = frame.detach().float().clamp(0, 1).mul(255).round().to("cpu", torch.uint8)
    return Image.fromarray(levels.movedim(0, -1).contiguous().numpy())
