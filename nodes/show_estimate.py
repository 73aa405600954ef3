"""What a whole run would take, shown on a node in place of the run."""

from comfy_api.latest import io, ui
from comfy_execution.graph_utils import ExecutionBlocker
from torch import Tensor

from ..vsr_core.compare import compare
from .images import join_image
from .runtime import ComfyRuntime, show_text


def estimate_input():
    """Return the last widget of nodes that can estimate; workflows from before it need not have it."""
    return io.Boolean.Input(
        "estimate_only", default=False, optional=True,
        tooltip="Restore one short window only, and show on the node how long all frames would take, how much memory "
        "they need, and one frame before and after. Hands on nothing: nodes after this one do not run.",
    )  # fmt: skip


def show_estimate(text: str, before: Tensor, after: Tensor, runtime: ComfyRuntime, node_id: str) -> io.NodeOutput:
    """Show `text` and a frame before (3, h, w) and after (3, H, W), both in 0..1.

    Nodes after this one get nothing and do not run.
    """
    pictures = compare(before[None], after[None], view="side by side", measure=False, runtime=runtime)
    image = runtime.hand_over(join_image(pictures.shown, None))
    show_text(text, node_id)
    shown = ui.PreviewImage(image).as_dict() | ui.PreviewText(text).as_dict()
    return io.NodeOutput(ExecutionBlocker(None), ui=shown)
