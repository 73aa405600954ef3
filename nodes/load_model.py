"""Load VSR Model: a built-in model or a file from `models/vsr`."""

from comfy_api.latest import io

from ..vsr_core.errors import CheckpointError
from ..vsr_core.load import cast, load_restorer
from ..vsr_core.runtime.standalone import DTYPES
from .model_files import model_names, model_path
from .runtime import choose_dtype, manage_parts
from .sockets import CATEGORY, VSR_MODEL, VSRModel


class VSRLoadModel(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="VSRLoadModel",
            display_name="Load VSR Model",
            category=CATEGORY,
            description="Loads a one-step video super-resolution model that enlarges four times.",
            inputs=[
                io.Combo.Input(
                    "model_name", options=model_names(),
                    tooltip="A built-in model (no file extension), or a .safetensors file from models/vsr. "
                    "`python -m vsr_core fetch` gets published weights, `convert` makes such a file of them. Start "
                    "with a built-in model.",
                ),
                io.Combo.Input(
                    "dtype", options=["auto", *DTYPES], default="auto",
                    tooltip="Number format to compute with. auto = the fastest one that the model and the "
                    "device support well. Choose fp32 if the result is black or noisy, at twice the memory.",
                ),
            ],
            outputs=[
                VSR_MODEL.Output(
                    display_name="model",
                    tooltip="Connect to One-Step Upscale and Video VAE Decode, and to Multi-Frame Fusion if it fuses.",
                )
            ],
        )  # fmt: skip

    @classmethod
    def validate_inputs(cls, model_name: str | None = None) -> bool | str:
        """Say how to get a model that is not there, instead of ComfyUI's list; None comes from another node."""
        try:
            return model_name is None or bool(model_path(model_name))
        except CheckpointError as error:
            return str(error)

    @classmethod
    def execute(cls, model_name: str, dtype: str) -> io.NodeOutput:
        restorer = load_restorer(model_path(model_name))
        cast(restorer, choose_dtype(dtype, restorer.requirements.dtypes))
        return io.NodeOutput(VSRModel(restorer, manage_parts(restorer.parts.values())))
