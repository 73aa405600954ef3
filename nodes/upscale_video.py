"""Upscale Video: from a video file to a larger one, a few frames at a time, so that length does not matter."""

import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import folder_paths
from comfy.cli_args import args
from comfy_api.latest import InputImpl, io, ui

from ..vsr_core.color import MODES
from ..vsr_core.contract import STAGES
from ..vsr_core.restore import Settings
from ..vsr_core.streaming import ON_ERROR, POLICIES, RESIZES, Job, TargetSize, identify, upscale_video
from ..vsr_core.streaming.estimate import estimate
from ..vsr_core.streaming.target import usual_suffix
from ..vsr_core.tiling import Tiling
from ..vsr_core.video import CODECS, VIDEO_SUFFIXES, Quality, probe
from .runtime import ComfyRuntime, show_text
from .show_estimate import show_estimate
from .sockets import CATEGORY, VSR_MODEL, VSRModel, read_text, tiling_input
from .video_files import file_of, frames_of

UNFINISHED = "vsr_unfinished"
"""Folder in ComfyUI's output folder for videos that were begun."""
SIZES = ("x4", "x3", "x2", "x1", "height", "width")
AUTO = "auto"


class VSRUpscaleVideo(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="VSRUpscaleVideo",
            display_name="Upscale Video",
            category=CATEGORY,
            description="Restores and enlarges a video of any length and saves it, with sound, subtitles, chapters "
            "and time stamps. Only a few frames are in memory at a time. Cancel at any time: queueing the same again "
            "goes on where it stopped.",
            is_output_node=True,
            hidden=[io.Hidden.unique_id, io.Hidden.prompt, io.Hidden.extra_pnginfo],
            inputs=[
                VSR_MODEL.Input("model", tooltip="The model from Load VSR Model."),
                io.Video.Input(
                    "video",
                    tooltip="The video from Load Video or any other node. A video that is a file is read from it "
                    "directly, frame by frame; a trim is kept.",
                ),
                io.Combo.Input(
                    "size", options=list(SIZES), default="x4",
                    tooltip="Size of the result: x4 = all that the model gives; x3, x2, x1 = so many times the "
                    "input; height, width = as many pixels as the next widget says, the other side follows.",
                ),
                io.Int.Input(
                    "pixels", default=1080, min=16, max=16384, step=2,
                    tooltip="Height or width of the result for size = height or width. Other sizes ignore it.",
                ),
                io.Combo.Input(
                    "resize", options=list(RESIZES), default="after",
                    tooltip="How sizes other than x4 are reached. after = the full x4 result is reduced, best; "
                    "before = the input is resized so that x4 of it fits, several times as fast when it shrinks.",
                ),
                io.Combo.Input(
                    "color", options=[AUTO, *MODES], default=AUTO,
                    tooltip="How colours are brought back to those of the input. auto = what suits the model; none = "
                    "as the model made them; adain = brightness and contrast per channel; wavelet = all large areas; "
                    "lab = colour only. Change it when colours shift or flicker.",
                ),
                io.Combo.Input(
                    "codec", options=[AUTO, *(name for name in CODECS if name != "png")], default=AUTO,
                    tooltip="How the result is coded. auto = h264, which plays everywhere, or prores for a video with "
                    "transparency; hevc, av1 = smaller, and 10 bits where the input has them; prores = for editing; "
                    "ffv1 = lossless.",
                ),
                io.Int.Input(
                    "crf", default=-1, min=-1, max=63,
                    tooltip="Quality of h264, hevc and av1: 0 = lossless or nearly, larger = smaller files. -1 = what "
                    "suits the codec, hardly distinguishable from lossless.",
                ),
                io.Combo.Input(
                    "container", options=[AUTO, *(suffix[1:] for suffix in VIDEO_SUFFIXES)], default=AUTO,
                    tooltip="Kind of file. auto = mp4, or what the codec needs. mkv holds any sound and any "
                    "subtitles; take it when a message says that mp4 cannot.",
                ),
                io.String.Input(
                    "filename_prefix", default="video/upscaled",
                    tooltip="Folder and beginning of the name of the result in ComfyUI's output folder. %date:yyyy-MM-"
                    "dd% and the like are filled in as in Save Video.",
                ),
                io.Float.Input(
                    "segment_seconds", default=Job.segment_seconds, min=0.1, max=3600.0, step=0.5,
                    tooltip="Longest stretch that is finished at once. Cancel and crashes lose at most this; the "
                    "picture is the same. Lower it for a slow model, raise it to compute less twice.",
                ),
                io.Combo.Input(
                    "segments", options=list(POLICIES), default=Job.policy,
                    tooltip="How stretches are joined. reprocess = frames around each are computed along and dropped, "
                    "so that no join shows; crossfade = they fade into each other.",
                ),
                io.Combo.Input(
                    "on_error", options=list(ON_ERROR), default=Job.on_error,
                    tooltip="What to do about a damaged video. stop = end with an error before anything is computed; "
                    "finish = upscale what can be read before the damage.",
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
                io.Boolean.Input(
                    "estimate_only", default=False,
                    tooltip="Restore one short window only, and show on the node how long the whole video would take, "
                    "how much memory it needs, how large the file becomes, and a frame before and after. Nothing "
                    "is saved.",
                ),
                tiling_input(),
                io.Conditioning.Input(
                    "conditioning", optional=True,
                    tooltip="Text that describes the video, from CLIP Text Encode with the text encoder of the "
                    "model's base. Without it the model takes the prompt stored in its file. AdcVSR takes no text.",
                ),
            ],
            outputs=[
                io.Video.Output(
                    display_name="video",
                    tooltip="The saved video, as a file: connect nodes that look at it or go on with it.",
                )
            ],
        )  # fmt: skip

    @classmethod
    def execute(
        cls, model: VSRModel, video, size: str, pixels: int, resize: str, color: str, codec: str, crf: int,
        container: str, filename_prefix: str, segment_seconds: float, segments: str, on_error: str, seed: int,
        strength: float, estimate_only: bool, tiling: Tiling | None = None, conditioning: list | None = None,
    ) -> io.NodeOutput:  # fmt: skip
        settings = Settings(
            tiling=tiling or Tiling(), color=None if color == AUTO else color, seed=seed, strength=strength,
            text=read_text(conditioning),
        )  # fmt: skip
        quality = Quality(codec=None if codec == AUTO else codec, crf=None if crf < 0 else crf)
        with file_of(video) as path:
            job = Job(
                source=path, target=Path(f"video{suffix_of(container, quality, path)}"), settings=settings,
                size=target_size(size, pixels, resize), quality=quality, segment_seconds=segment_seconds,
                policy=segments, frames=frames_of(video, path), on_error=on_error, tags=tags_of(cls.hidden),
            )  # fmt: skip
            runtime = ComfyRuntime(model.patchers, ["scan", *STAGES], previews=not estimate_only)
            if estimate_only:
                found = estimate(job, model.restorer, runtime)
                return show_estimate(str(found), found.before, found.after, runtime, cls.hidden.unique_id)
            return saved(job, filename_prefix, model, runtime, cls.hidden.unique_id)


def suffix_of(container: str, quality: Quality, path: Path) -> str:
    return usual_suffix(quality.codec, probe(path)) if container == AUTO else f".{container}"


def target_size(size: str, pixels: int, resize: str) -> TargetSize:
    if size.startswith("x"):
        return TargetSize(scale=int(size[1:]), resize=resize)
    return TargetSize(**{size: pixels}, resize=resize)


def saved(job: Job, prefix: str, model: VSRModel, runtime: ComfyRuntime, node_id: str) -> io.NodeOutput:
    """Upscale into the output folder, or go on with what was begun there; return the video and show it."""
    output = Path(folder_paths.get_output_directory())
    sides = job.size.output(probe(job.source), model.restorer.requirements.scale, multiple=2)
    folder, name, counter, subfolder, _ = folder_paths.get_save_image_path(
        prefix, str(output), sides.width, sides.height
    )
    file = f"{name}_{counter:05}_{job.target.suffix}"
    identity = identify(job, model.restorer)
    unfinished = output / UNFINISHED / identity.name
    job = replace(job, target=Path(folder) / file)
    result = upscale_video(job, model.restorer, runtime, resume=True, work=unfinished, identity=identity)
    with suppress(OSError):  # other videos may be unfinished
        unfinished.parent.rmdir()
    if result.notes:
        show_text("\n".join(result.notes), node_id)
    preview = ui.PreviewVideo([ui.SavedResult(file, subfolder, io.FolderType.output)])
    return io.NodeOutput(InputImpl.VideoFromFile(str(result.path)), ui=preview)


def tags_of(hidden) -> dict[str, str]:
    """Return the graph as tags for the file, as Save Video writes them: drop the file on the editor to get it back."""
    if args.disable_metadata:
        return {}
    graph = {**(hidden.extra_pnginfo or {}), **({} if hidden.prompt is None else {"prompt": hidden.prompt})}
    return {name: json.dumps(value) for name, value in graph.items()}
