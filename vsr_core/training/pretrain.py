"""Learning super-resolution by pixels: what a small network does that has no pretrained weights."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ..checkpoints.metadata import Metadata, config_to_json
from .learner import Learner
from .losses import pixel_l1, psnr
from .parts import same_parts
from .processes import items
from .schedules import cosine

if TYPE_CHECKING:
    from accelerate import Accelerator


class Pretrain:
    """Network, optimiser and averaged weights of one run."""

    def __init__(
        self,
        config: Any,
        accelerator: "Accelerator",
        network: nn.Module,
        *,
        inputs: Callable[[Tensor, Tensor, range], tuple],
        architecture: str,
        source: str,
        licence: str = "",
        fan_in: int = 0,
        lpips: Callable[[Tensor, Tensor], Tensor] | None = None,
    ):
        """Train `network` as `config` of an architecture's recipe says.

        `inputs` makes what the network takes of LR clips (B, T, 3, H, W) in 0..1, of the true ones in -1..1, and of the
        numbers of these items. The network returns frames in -1..1, in order, of the size of the true ones. `source`
        and `licence` are of its weights. `lpips` maps two (N, 3, H, W) in -1..1 to distances (N, ...), which count
        `config.lpips` times.
        """
        self.config, self.accelerator, self.device = config, accelerator, accelerator.device
        self.inputs, self.lpips = inputs, lpips
        self.architecture, self.source, self.licence = architecture, source, licence
        rate = partial(cosine, base=config.learning_rate, warmup=config.warmup, steps=config.steps)
        self.student = Learner(
            network.to(self.device),
            accelerator,
            rate=rate,
            clip_norm=config.clip_norm,
            ema=config.ema,
            fan_in=fan_in,
        )
        self.stateful = {"student": self.student}

    def step(self, batch: tuple[Tensor, Tensor], index: int) -> dict[str, float]:
        lr_clips, target = batch[0].to(self.device), batch[1].to(self.device) * 2 - 1
        numbers = items(self.accelerator, self.config.batch, index)
        inputs = self.inputs(lr_clips, target, numbers)

        with self.accelerator.autocast():
            frames = self.student(*inputs).view_as(target)

        loss, figures = pixel_l1(frames, target), {}
        if self.lpips:
            compared = same_parts(
                frames.float(), target, size=self.config.lpips_size, seed=self.config.seed, items=numbers
            )
            distance = self.lpips(*compared).mean()
            loss = loss + self.config.lpips * distance
            figures["lpips"] = distance.item()
        self.student.update(loss, index)
        return {"loss": loss.item(), **figures, "psnr": psnr(frames, target).item()}

    def model(self, done: int) -> tuple[dict[str, Tensor], Metadata]:
        losses = f"pixels and {self.config.lpips:g} LPIPS" if self.lpips else "pixels"
        source = f"{self.source}, trained by {losses}, {done} steps, seed {self.config.seed}"
        config = config_to_json(self.config.network)
        metadata = Metadata(architecture=self.architecture, config=config, source=source, licence=self.licence)
        return self.student.weights(), metadata

    @torch.no_grad()
    def sample(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        lr_clips, target = (clips.to(self.device) for clips in batch)
        inputs = self.inputs(lr_clips, target * 2 - 1, range(len(lr_clips)))
        frames, middle = self.student.network(*inputs).view_as(target), target.shape[1] // 2
        return lr_clips[:, middle], (frames[:, middle] + 1) / 2, target[:, middle]
