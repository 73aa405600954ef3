"""The nodes and how ComfyUI finds them. The only folder that imports ComfyUI."""

from comfy_api.latest import ComfyExtension, io

from .compare import VSRCompare
from .decode_video import VSRVideoVAEDecode
from .fuse_frames import VSRMultiFrameFusion
from .load_model import VSRLoadModel
from .model_files import register_model_folder
from .optical_flow_warp import VSROpticalFlowWarp
from .temporal_tiling import VSRTemporalTiling
from .upscale_one_step import VSROneStepUpscale
from .upscale_video import VSRUpscaleVideo


class VSRExtension(ComfyExtension):
    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        return [
            VSRLoadModel,
            VSRTemporalTiling,
            VSROpticalFlowWarp,
            VSRMultiFrameFusion,
            VSROneStepUpscale,
            VSRVideoVAEDecode,
            VSRCompare,
            VSRUpscaleVideo,
        ]


async def comfy_entrypoint() -> ComfyExtension:
    """Register the model folder and offer the nodes."""
    register_model_folder()
    return VSRExtension()
