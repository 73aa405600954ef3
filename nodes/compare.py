"""Compare Before and After: what restoring did, as a video or a picture and in numbers."""

from comfy_api.latest import io

from ..vsr_core.compare import VIEWS, compare, plot, table
from .images import join_image, split_image
from .runtime import ComfyRuntime
from .sockets import CATEGORY


class VSRCompare(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="VSRCompare",
            display_name="Compare Before and After",
            category=CATEGORY,
            description="Shows a video before and after restoring in one, and measures both: against the original "
            "where there is one, else by how natural and how steady they look.",
            inputs=[
                io.Image.Input(
                    "before",
                    tooltip="The frames that went in. They are resized to the size of after by bicubic interpolation.",
                ),
                io.Image.Input("after", tooltip="The frames that came out, as many as before."),
                io.Combo.Input(
                    "view", options=list(VIEWS), default="divider",
                    tooltip="divider = before on the left and after on the right of a line that swings through the "
                    "video; side by side = both videos next to each other; strip = one picture of a few frames, before "
                    "above after. Take strip to save it as a picture, the others to make a video of them.",
                ),
                io.Boolean.Input(
                    "titles", default=True,
                    tooltip="Write before and after onto the frames. Switch it off for a clean picture.",
                ),
                io.Boolean.Input(
                    "measure", default=True,
                    tooltip="Compute the metrics for plot and table. Switch it off to get the view sooner.",
                ),
                io.Image.Input(
                    "reference", optional=True,
                    tooltip="The original, as large as after, if the video was degraded on purpose. With it PSNR and "
                    "SSIM are measured, without it NIQE (how natural) and E*_warp (how steady).",
                ),
            ],
            outputs=[
                io.Image.Output(
                    display_name="images",
                    tooltip="The view: as many frames as came in, ready for Create Video, or one picture (strip).",
                ),
                io.Image.Output(
                    display_name="plot",
                    tooltip="One picture with a curve of each metric over the frames. Connect Preview Image.",
                ),
                io.String.Output(
                    display_name="table",
                    tooltip="The means of all metrics, and why one is missing. Connect Preview as Text.",
                ),
            ],
        )  # fmt: skip

    @classmethod
    def execute(cls, before, after, view: str, titles: bool, measure: bool, reference=None) -> io.NodeOutput:
        clips = [None if images is None else split_image(images)[0] for images in (before, after, reference)]
        runtime = ComfyRuntime({}, ["compare"])
        comparison = compare(*clips, view=view, titles=titles, measure=measure, runtime=runtime)
        pictures = (comparison.shown, plot(comparison.rating)[None])
        images = [runtime.hand_over_image(join_image(each, None)) for each in pictures]
        return io.NodeOutput(*images, table(comparison.rating))
