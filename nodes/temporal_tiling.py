"""Temporal Tiling: how a long or large video is cut into pieces that fit into memory."""

from comfy_api.latest import io

from ..vsr_core.tiling import Tiling
from .sockets import CATEGORY, VSR_TILING


class VSRTemporalTiling(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="VSRTemporalTiling",
            display_name="Temporal Tiling",
            category=CATEGORY,
            description="Chooses how a video is cut into windows of frames and tiles of pixels. "
            "Without this node everything is chosen automatically from the free memory.",
            inputs=[
                io.Int.Input(
                    "window", default=0, min=0, max=4096,
                    tooltip="Frames the model sees at once. 0 = automatic: the model's own number, fewer where even "
                    "small tiles of so many do not fit into memory. Raise it for steadier motion. "
                    "DUO-VSR rounds it up to 1, 5, 9, 13, ...: whole latent frames.",
                ),
                io.Int.Input(
                    "overlap", default=0, min=0, max=2048,
                    tooltip="Frames that neighbouring windows share and blend; less than the window. "
                    "0 = automatic. Raise it when the picture changes visibly from one window to the next. "
                    "DUO-VSR rounds it up to a multiple of 4: whole latent frames.",
                ),
                io.Int.Input(
                    "tile", default=0, min=0, max=16384, step=8,
                    tooltip="Side of a square tile in pixels of the input video. 0 = automatic, the whole "
                    "frame where it fits. Lower it when memory runs out.",
                ),
                io.Int.Input(
                    "tile_overlap", default=0, min=0, max=4096, step=8,
                    tooltip="Pixels of the input video that neighbouring tiles share and blend; less than "
                    "the tile. 0 = automatic. Raise it when seams show.",
                ),
                io.Boolean.Input(
                    "scene_cuts", default=True,
                    tooltip="Treat every scene on its own, so that nothing blends across a cut. "
                    "Switch it off only if flashes or fast motion are mistaken for cuts.",
                ),
            ],
            outputs=[
                VSR_TILING.Output(
                    display_name="tiling",
                    tooltip="Connect to Multi-Frame Fusion, One-Step Upscale and Video VAE Decode.",
                )
            ],
        )  # fmt: skip

    @classmethod
    def execute(cls, window: int, overlap: int, tile: int, tile_overlap: int, scene_cuts: bool) -> io.NodeOutput:
        sizes = {"window": window, "overlap": overlap, "tile": tile, "tile_overlap": tile_overlap}
        chosen = {name: size or None for name, size in sizes.items()}
        return io.NodeOutput(Tiling(**chosen, scene_cuts=scene_cuts))
