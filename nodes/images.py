"""ComfyUI's IMAGE (T, H, W, C) to and from the library's clip (T, 3, H, W), both in 0..1."""

import torch
from torch import Tensor

from ..vsr_core.clip import resize_bicubic
from ..vsr_core.errors import ClipError


def split_image(image: Tensor) -> tuple[Tensor, Tensor | None]:
    """Return the clip (T, 3, H, W) and the alpha channel (T, 1, H, W) if there is one."""
    if image.ndim != 4 or image.shape[-1] not in (3, 4):
        raise ClipError(f"Expected images shaped (frames, height, width, 3 or 4), got {tuple(image.shape)}.")
    planes = image.movedim(-1, 1)
    return planes[:, :3], planes[:, 3:] if image.shape[-1] == 4 else None


def join_image(clip: Tensor, alpha: Tensor | None) -> Tensor:
    """Return an IMAGE of `clip`, with `alpha` enlarged to its size as fourth channel."""
    if alpha is not None:
        enlarged = resize_bicubic(alpha.to(clip), clip.shape[-2], clip.shape[-1])
        clip = torch.cat([clip, enlarged], dim=1)
    return clip.movedim(1, -1)
