"""The file behind a VIDEO: its own, or one written without loss where the video is only in memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from uuid import uuid4

import av
import folder_paths
import torch
from comfy_api.latest import InputImpl

from ..vsr_core.errors import SettingError
from ..vsr_core.video import probe, scan

FORMATS = {(8, False): "bgr0", (8, True): "bgra", (10, False): "gbrp10le", (10, True): "gbrap10le"}
"""FFV1's RGB formats by bit depth and alpha."""
LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "4.0", 5: "5.0", 6: "5.1", 8: "7.1"}
FINEST_RATE = 1001
"""Largest denominator of a frame rate: 29.97 is 30000/1001."""


@contextmanager
def file_of(video) -> Iterator[Path]:
    """Yield the file that `video` is in, which is a temporary one inside the block where the video has none."""
    source = None if isinstance(video, InputImpl.VideoFromComponents) else video.get_stream_source()
    if isinstance(source, str):
        yield Path(source)
        return
    path = Path(folder_paths.get_temp_directory()) / f"vsr_{uuid4().hex}.mkv"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        if source is None:
            depth = getattr(video, "get_bit_depth", lambda: 8)()
            write_without_loss(path, video.get_components(), depth)
        else:
            path.write_bytes(source.getbuffer())
        yield path
    finally:
        path.unlink(missing_ok=True)


def frames_of(video, path: Path) -> tuple[int, int | None]:
    """Return the first frame of `path` that `video` shows and the one after its last; None = to the end.

    Raises SettingError if a trim leaves nothing.
    """
    start, seconds = getattr(video, "get_active_trim_window", lambda: (0.0, 0.0))()
    if not start and not seconds:
        return 0, None
    shift = probe(path).start  # ComfyUI trims by the file's own time
    times = [float(time + shift) for time in scan(path, scene_cuts=False).times]
    shown = [index for index, time in enumerate(times) if time >= start and not (seconds and time >= start + seconds)]
    if not shown:
        raise SettingError(f"No frame of {path.name} is between {start:g} s and {start + seconds:g} s. Trim it less.")
    return shown[0], None if shown[-1] == len(times) - 1 else shown[-1] + 1


def write_without_loss(path: Path, components, bit_depth: int) -> None:
    """Write a video's images (T, H, W, 3 or 4) in 0..1 as FFV1, and its sound as AAC. The same give the same bytes."""
    images, alpha = components.images, getattr(components, "alpha", None)
    if alpha is not None:
        images = torch.cat([images[..., :3], alpha.reshape(*images.shape[:3], 1).to(images)], dim=-1)
    rate = Fraction(components.frame_rate).limit_denominator(FINEST_RATE)
    with av.open(str(path), "w", options={"fflags": "+bitexact"}) as out:
        stream = out.add_stream("ffv1", rate=rate)
        stream.height, stream.width = images.shape[1:3]
        stream.pix_fmt = FORMATS[10 if bit_depth > 8 else 8, images.shape[-1] == 4]
        sound = components.audio and _sound_stream(out, components.audio)
        for number, image in enumerate(images):
            frame = picture(image).reformat(format=stream.pix_fmt)
            frame.pts, frame.time_base = number, 1 / rate
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        if sound:
            _write_sound(out, sound, components.audio)


def picture(image: torch.Tensor) -> av.VideoFrame:
    """Return an image (H, W, 3 or 4) in 0..1 with 16 bits a channel."""
    codes = (image.float().clamp(0, 1) * 65535).round().to("cpu", torch.int32).numpy().astype("uint16")
    return av.VideoFrame.from_ndarray(codes, format="rgb48le" if codes.shape[-1] == 3 else "rgba64le")


def _sound_stream(out, audio: dict):
    channels = audio["waveform"].shape[1]
    if channels not in LAYOUTS:
        raise SettingError(f"The sound has {channels} channels; {', '.join(map(str, LAYOUTS))} can be stored.")
    return out.add_stream("aac", rate=int(audio["sample_rate"]), layout=LAYOUTS[channels])


def _write_sound(out, stream, audio: dict) -> None:
    wave = audio["waveform"][0].float().cpu().contiguous().numpy()
    frame = av.AudioFrame.from_ndarray(wave, "fltp", stream.layout.name)
    frame.sample_rate, frame.pts = int(audio["sample_rate"]), 0
    out.mux(stream.encode(frame))
    out.mux(stream.encode(None))
