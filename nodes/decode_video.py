"""Video VAE Decode: from the latent to the enlarged frames."""

from comfy_api.latest import io

from ..vsr_core.color import MODES
from ..vsr_core.restore import Settings, decode
from ..vsr_core.tiling import Tiling
from .choose_decoder import FULL, choose_decoder, decoder_names
from .images import join_image
from .runtime import ComfyRuntime
from .sockets import CATEGORY, VSR_MODEL, VSRModel, read_latent, tiling_input


class VSRVideoVAEDecode(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="VSRVideoVAEDecode",
            display_name="Video VAE Decode",
            category=CATEGORY,
            description="Decodes the latent of One-Step Upscale to as many frames as came in, "
            "four times as wide and high.",
            inputs=[
                VSR_MODEL.Input("model", tooltip="The model that One-Step Upscale used."),
                io.Latent.Input(
                    "latent",
                    tooltip="The latent from One-Step Upscale. One from Multi-Frame Fusion shows what the step "
                    "starts from.",
                ),
                io.Combo.Input(
                    "color", options=["auto", *MODES], default="auto",
                    tooltip="How colours are brought back to those of the input. auto = what suits the "
                    "model; none = as the model made them; adain = brightness and contrast per channel; "
                    "wavelet = all large areas; lab = colour only. Change it when colours shift or flicker.",
                ),
                tiling_input(),
                io.Combo.Input(
                    "decoder", options=decoder_names(), default=FULL, optional=True,
                    tooltip="full = the model's own decoder. The others are tiny decoders of Wan2.1's latents in "
                    "models/vae_approx (taew2_1, lighttaew2_1), for DUO-VSR: many times faster and with far less "
                    "memory, but fine texture, small text and faces get softer, and may flicker. For previews.",
                ),
            ],
            outputs=[
                io.Image.Output(display_name="images", tooltip="The enlarged frames, ready for Create Video.")
            ],
        )  # fmt: skip

    @classmethod
    def execute(
        cls, model: VSRModel, latent, color: str, tiling: Tiling | None = None, decoder: str = FULL
    ) -> io.NodeOutput:
        samples, source = read_latent(latent, model)
        model = choose_decoder(model, decoder)
        runtime = ComfyRuntime(model.patchers, ["decode"])
        settings = Settings(
            tiling=tiling or Tiling(),
            color=None if color == "auto" else color,
            strength=source.strength,
        )
        frames = decode(samples, source.clip, model.restorer, runtime, settings, shots=source.shots)
        return io.NodeOutput(runtime.hand_over_image(join_image(frames, source.alpha)))
