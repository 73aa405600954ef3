"""One-Step Upscale: from frames to the latent of the enlarged frames."""

from comfy_api.latest import io

from ..vsr_core.contract import STAGES
from ..vsr_core.restore import Settings, upscale, upscale_fused
from ..vsr_core.tiling import Tiling
from ..vsr_core.tiling.cuts import shot_lengths
from ..vsr_core.trial import estimate_clip
from .images import split_image
from .runtime import ComfyRuntime
from .show_estimate import estimate_input, show_estimate
from .sockets import (
    CATEGORY,
    VSR_MODEL,
    LatentSource,
    VSRModel,
    make_latent,
    read_fused,
    read_text,
    tiling_input,
)


class VSROneStepUpscale(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="VSROneStepUpscale",
            display_name="One-Step Upscale",
            category=CATEGORY,
            description="Restores and enlarges the frames of a video in one diffusion step. "
            "Connect Video VAE Decode to see the result.",
            hidden=[io.Hidden.unique_id],
            inputs=[
                VSR_MODEL.Input("model", tooltip="The model from Load VSR Model."),
                io.Image.Input(
                    "images",
                    tooltip="Frames of one video in order, 16 x 16 pixels or more. An alpha channel is kept.",
                ),
                io.Int.Input(
                    "seed", default=0, min=0, max=0xFFFFFFFFFFFFFFFF, control_after_generate=False,
                    tooltip="Seed of the random part of the step. The same seed gives the same frames. "
                    "Change it for other details; a model without a random part ignores it.",
                ),
                io.Float.Input(
                    "strength", default=1.0, min=0.0, max=1.0, step=0.05,
                    tooltip="Share of the restored picture in the result: 1 = all of it, 0 = only the input "
                    "enlarged by bicubic interpolation. Lower it when the model invents too much.",
                ),
                tiling_input(),
                io.Latent.Input(
                    "latent", optional=True,
                    tooltip="The latent of Multi-Frame Fusion, fused from these images, for a model that fuses "
                    "frames (OS-DiffVSR). Without it such a model aligns and fuses the frames by itself. Connect "
                    "it to choose how, or to see how well the frames align.",
                ),
                io.Conditioning.Input(
                    "conditioning", optional=True,
                    tooltip="Text that describes the video, from CLIP Text Encode with the text encoder of the "
                    "model's base (OpenCLIP ViT-H of Stable Diffusion 2.1 for OS-DiffVSR, UMT5-XXL of Wan2.1 for "
                    "DUO-VSR). Only its first entry is used. Without it the model takes the prompt stored in its "
                    "file. AdcVSR takes no text.",
                ),
                estimate_input(),
            ],
            outputs=[
                io.Latent.Output(
                    display_name="latent",
                    tooltip="Latent of the enlarged frames, with the input frames that decoding needs.",
                )
            ],
        )  # fmt: skip

    @classmethod
    def execute(
        cls, model: VSRModel, images, seed: int, strength: float, tiling=None, latent=None, conditioning=None,
        estimate_only: bool = False,
    ) -> io.NodeOutput:  # fmt: skip
        clip, alpha = split_image(images)
        settings = Settings(tiling=tiling or Tiling(), seed=seed, strength=strength, text=read_text(conditioning))
        stages = STAGES if estimate_only else ["encode", "step"]
        runtime = ComfyRuntime(model.patchers, stages, previews=not estimate_only)
        fused = None if latent is None else read_fused(latent, model, clip)
        if estimate_only:
            found = estimate_clip(clip, model.restorer, runtime, settings, fused)
            return show_estimate(str(found), found.before, found.after, runtime, cls.hidden.unique_id)
        if fused is None:
            samples = upscale(clip, model.restorer, runtime, settings)
        else:
            samples = upscale_fused(fused, model.restorer, runtime, settings)
        architecture = model.restorer.architecture
        shots = shot_lengths(clip, settings.tiling.scene_cuts)
        source = LatentSource(
            clip=clip, alpha=alpha, architecture=architecture, shots=shots, restored=True, strength=strength
        )
        return io.NodeOutput(make_latent(runtime.hand_over(samples), source, model))
