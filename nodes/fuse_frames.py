"""Multi-Frame Fusion: from frames and their aligned neighbours to the latent that the step starts from."""

from comfy_api.latest import io

from ..vsr_core.contract import FusionSettings
from ..vsr_core.flow import Aligned
from ..vsr_core.restore import Settings, fuse
from ..vsr_core.tiling import Tiling
from ..vsr_core.tiling.cuts import shot_lengths
from .images import split_image
from .runtime import ComfyRuntime
from .sockets import (
    CATEGORY,
    VSR_ALIGNED,
    VSR_MODEL,
    LatentSource,
    VSRModel,
    make_latent,
    tiling_input,
)


class VSRMultiFrameFusion(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="VSRMultiFrameFusion",
            display_name="Multi-Frame Fusion",
            category=CATEGORY,
            description="Encodes the frames of a video and fuses each one with its two aligned neighbours, which "
            "steadies the result. For models that fuse frames (OS-DiffVSR).",
            inputs=[
                VSR_MODEL.Input("model", tooltip="The model from Load VSR Model; it needs to be one that fuses."),
                io.Image.Input(
                    "images",
                    tooltip="The frames that Optical Flow Warp aligned. An alpha channel is kept.",
                ),
                VSR_ALIGNED.Input("aligned", tooltip="What Optical Flow Warp found out about these images."),
                io.Combo.Input(
                    "alignment", options=["auto", "pixels", "latents"], default="auto",
                    tooltip="What is warped. auto = what suits the model; pixels = the neighbouring frames, three "
                    "encodings per frame, as in the paper; latents = their latents, one encoding per frame, much "
                    "faster and slightly softer.",
                ),
                io.Float.Input(
                    "mu", default=0.4, min=0.0, max=1.0, step=0.05,
                    tooltip="Confidence above which a place is fused (0.4 in the paper). Raise it when moving "
                    "things leave trails, lower it when the result flickers. 1 = no fusion at all.",
                ),
                io.Float.Input(
                    "alpha", default=2.0, min=0.1, max=100.0, step=0.1,
                    tooltip="How fast confidence falls with the difference between a frame and its warped "
                    "neighbours. Raise it to fuse only what matches closely, lower it for noisy videos.",
                ),
                io.Combo.Input(
                    "posterior", options=["mean", "sample"], default="mean",
                    tooltip="mean = the most likely latent of each frame, the same every time. sample = drawn at "
                    "random with the seed, as the original model does; it may flicker.",
                ),
                io.Int.Input(
                    "seed", default=0, min=0, max=0xFFFFFFFFFFFFFFFF, control_after_generate=False,
                    tooltip="Seed of posterior = sample. The same seed gives the same latent; mean ignores it.",
                ),
                tiling_input(),
            ],
            outputs=[
                io.Latent.Output(
                    display_name="latent",
                    tooltip="The fused latent, one per frame, for One-Step Upscale. ComfyUI's own latent and VAE "
                    "nodes of the model's base understand it too.",
                )
            ],
        )  # fmt: skip

    @classmethod
    def execute(
        cls, model: VSRModel, images, aligned: Aligned, alignment: str, mu: float, alpha: float, posterior: str,
        seed: int, tiling: Tiling | None = None,
    ) -> io.NodeOutput:  # fmt: skip
        clip, opacity = split_image(images)
        chosen = None if alignment == "auto" else alignment
        fusion = FusionSettings(alignment=chosen, alpha=alpha, mu=mu, sample=posterior == "sample")
        settings = Settings(tiling=tiling or Tiling(), seed=seed, fusion=fusion)
        runtime = ComfyRuntime(model.patchers, ["fuse"])
        samples = fuse(clip, aligned, model.restorer, runtime, settings)
        architecture = model.restorer.architecture
        shots = shot_lengths(clip, settings.tiling.scene_cuts)
        source = LatentSource(clip=clip, alpha=opacity, architecture=architecture, shots=shots, restored=False)
        return io.NodeOutput(make_latent(runtime.hand_over(samples), source, model))
