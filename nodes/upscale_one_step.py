"""One-Step Upscale: from frames to the latent of the enlarged frames."""

from comfy_api.latest import io

from ..vsr_core.restore import Settings, upscale
from ..vsr_core.tiling import Tiling
from .images import split_image
from .runtime import ComfyRuntime
from .sockets import CATEGORY, VSR_MODEL, LatentSource, VSRModel, make_latent, tiling_input


class VSROneStepUpscale(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="VSROneStepUpscale",
            display_name="One-Step Upscale",
            category=CATEGORY,
            description="Restores and enlarges the frames of a video in one diffusion step. "
            "Connect Video VAE Decode to see the result.",
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
        cls, model: VSRModel, images, seed: int, strength: float, tiling: Tiling | None = None
    ) -> io.NodeOutput:
        clip, alpha = split_image(images)
        runtime = ComfyRuntime(model)
        samples = upscale(clip, model.restorer, runtime, Settings(tiling=tiling or Tiling(), seed=seed))
        source = LatentSource(clip, alpha, strength, model.restorer.architecture)
        return io.NodeOutput(make_latent(runtime.hand_over(samples), source))
