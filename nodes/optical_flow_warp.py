"""Optical Flow Warp: the neighbours of every frame, moved to where the frame has the same things."""

import torch
from comfy_api.latest import io
from torch import Tensor

from ..vsr_core.flow import DEFAULT, ESTIMATORS, Aligned, warped_neighbours
from ..vsr_core.restore import align_clip
from .choose_flow import choose_flow
from .images import join_image, split_image
from .runtime import ComfyRuntime
from .sockets import CATEGORY, OPTICAL_FLOW, VSR_ALIGNED

WARPED_AT_ONCE = 16


class VSROpticalFlowWarp(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="VSROpticalFlowWarp",
            display_name="Optical Flow Warp",
            category=CATEGORY,
            description="Finds out how things move between the frames of a video, and warps the frames before and "
            "after onto each frame.",
            inputs=[
                io.Image.Input(
                    "images",
                    tooltip="Frames of one video in order, 16 x 16 pixels or more (32 x 32 for dis-ultrafast and "
                    "dis-fast).",
                ),
                io.Combo.Input(
                    "method", options=list(ESTIMATORS), default=DEFAULT,
                    tooltip="How motion is estimated. dis-ultrafast, dis-fast, dis-medium: OpenCV, no model needed, "
                    "each slower and more exact than the one before. raft: a network, best on a GPU; connect "
                    "optical_flow, or put its weights into models/optical_flow. Take raft when the confidence is "
                    "dark where things merely move, a faster one when it takes too long.",
                ),
                io.Boolean.Input(
                    "occlusion", default=False,
                    tooltip="Also trust nothing where the way to a neighbour and back does not end where it began: "
                    "there something is hidden or uncovered. Switch it on when edges of moving things leave trails.",
                ),
                io.Float.Input(
                    "alpha", default=2.0, min=0.1, max=100.0, step=0.1,
                    tooltip="How fast the shown confidence falls with the difference between a frame and its warped "
                    "neighbours. It changes the mask only; Multi-Frame Fusion has an alpha of its own.",
                ),
                io.Boolean.Input(
                    "scene_cuts", default=True,
                    tooltip="Align nothing across a cut: there a frame stands in for its missing neighbour. "
                    "Switch it off only if flashes or fast motion are mistaken for cuts.",
                ),
                OPTICAL_FLOW.Input(
                    "optical_flow", optional=True,
                    tooltip="RAFT from Load Optical Flow Model. When connected it is used, whatever the method says.",
                ),
            ],
            outputs=[
                VSR_ALIGNED.Output(display_name="aligned", tooltip="Connect to Multi-Frame Fusion."),
                io.Image.Output(
                    display_name="previous",
                    tooltip="The frame before, warped onto each frame; the frame itself where there is none.",
                ),
                io.Image.Output(
                    display_name="next",
                    tooltip="The frame after, warped onto each frame; the frame itself where there is none.",
                ),
                io.Mask.Output(
                    display_name="confidence",
                    tooltip="1 where both warped neighbours match the frame, 0 where they do not.",
                ),
            ],
        )  # fmt: skip

    @classmethod
    def execute(
        cls, images, method: str, occlusion: bool, alpha: float, scene_cuts: bool, optical_flow=None
    ) -> io.NodeOutput:
        clip, _ = split_image(images)
        flow, runtime = choose_flow(method, optical_flow, clip)
        aligned = align_clip(clip, flow, runtime, scene_cuts=scene_cuts, occlusion=occlusion)
        warped = [runtime.hand_over_image(join_image(frames, None)) for frames in warp_clip(clip, aligned, runtime)]
        return io.NodeOutput(aligned, *warped, runtime.hand_over(aligned.confidence(alpha)[:, 0]))


def warp_clip(clip: Tensor, aligned: Aligned, runtime: ComfyRuntime) -> tuple[Tensor, Tensor]:
    """Return the previous and the next neighbour of every frame of `clip`, each (T, 3, H, W), a few at a time."""
    parts = []
    for start in range(0, len(clip), WARPED_AT_ONCE):
        runtime.check_stopped()
        parts.append(warped_neighbours(clip, aligned[start : start + WARPED_AT_ONCE]))
    previous, following = zip(*parts)
    return torch.cat(previous), torch.cat(following)
