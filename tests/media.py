"""Tiny real media for tests, made with PyAV and Pillow: moving gratings, a tone, damage on request."""

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

SAMPLE_RATE = 48_000


def gratings(frames: int = 12, height: int = 48, width: int = 64, seed: int = 0) -> np.ndarray:
    """Return coloured sine gratings that drift across the picture, uint8 (T, H, W, 3)."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    angle, pitch, speed = rng.uniform(0, np.pi, 3), rng.uniform(9, 17, 3), rng.uniform(0.4, 1.2, 3)
    clip = np.empty((frames, height, width, 3))
    for channel in range(3):
        along = (x * np.cos(angle[channel]) + y * np.sin(angle[channel])) / pitch[channel]
        for t in range(frames):
            clip[t, ..., channel] = 0.5 + 0.4 * np.sin(2 * np.pi * along + speed[channel] * t)
    return (clip * 255).round().astype(np.uint8)


def make_video(
    path: str | Path,
    *,
    frames: int = 12,
    height: int = 48,
    width: int = 64,
    rate: int | Fraction = 24,
    clip: np.ndarray | None = None,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    audio: str | bool | None = True,
    audio_seconds: float | None = None,
    audio_tracks: int = 1,
    times: Sequence[int] | None = None,
    tags: dict[str, int] | None = None,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
) -> Path:
    """Write `clip` (uint8 or uint16 (T, H, W, 3 or 4), default `gratings`) as a video with a tone.

    `times` are presentation times in milliseconds, for a variable frame rate. `tags` are attributes of the
    codec context (colorspace, color_range, ...). `audio` is a codec name, True for AAC, None or False for no sound.
    """
    clip = gratings(frames, height, width) if clip is None else clip
    path, rate, audio = Path(path), Fraction(rate), "aac" if audio is True else audio
    with av.open(str(path), "w", container_options=container_options or {}) as out:
        video = out.add_stream(codec, rate=rate, options=_options(codec, options))
        video.height, video.width, video.pix_fmt = clip.shape[1], clip.shape[2], pixel_format
        video.codec_context.time_base = Fraction(1, 1000) if times else 1 / rate
        for name, value in (tags or {}).items():
            setattr(video.codec_context, name, value)
        tones = [out.add_stream(audio, rate=SAMPLE_RATE) for _ in range(audio_tracks if audio else 0)]
        for number, picture in enumerate(clip):
            frame = _picture_frame(picture).reformat(format=pixel_format, **_conversion(tags))
            frame.pts, frame.time_base = times[number] if times else number, video.codec_context.time_base
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
        for tone in tones:
            mux_tone(out, tone, audio_seconds or float(len(clip) / rate))
    return path


def make_sound(path: str | Path, *, codec: str = "aac", seconds: float = 0.5) -> Path:
    """Write a file that holds a tone and no pictures."""
    with av.open(str(path), "w") as out:
        mux_tone(out, out.add_stream(codec, rate=SAMPLE_RATE), seconds)
    return Path(path)


def make_images(folder: str | Path, clip: np.ndarray, *, names: Sequence[str] | None = None) -> Path:
    """Write (T, H, W, 1, 3 or 4) as image files, default frame_1.png ...; uint16 becomes 16-bit PNG."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for number, picture in enumerate(clip):
        write_image(folder / (names[number] if names else f"frame_{number + 1}.png"), picture)
    return folder


def write_image(path: Path, picture: np.ndarray, **options) -> Path:
    """Write one image, (H, W, 3 or 4), uint8 in any format Pillow knows or uint16 as PNG."""
    from PIL import Image

    if picture.dtype == np.uint8:
        Image.fromarray(picture).save(path, **options)
        return path
    codec = av.CodecContext.create("png", "w")
    codec.pix_fmt = "rgb48be" if picture.shape[-1] == 3 else "rgba64be"
    codec.height, codec.width, codec.time_base, codec.thread_count = *picture.shape[:2], Fraction(1, 24), 1
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format=codec.pix_fmt)
    path.write_bytes(b"".join(bytes(packet) for packet in [*codec.encode(frame), *codec.encode(None)]))
    return path


def rotate(path: Path, clockwise: int, *, mirrored: bool = False) -> Path:
    """Set the display matrix of the first track of an .mp4 or .mov in place, as phones do."""
    cos, sin = {0: (1, 0), 90: (0, 1), 180: (-1, 0), 270: (0, -1)}[clockwise]
    first = (-cos, -sin) if mirrored else (cos, sin)
    matrix = [first[0] << 16, first[1] << 16, 0, -sin << 16, cos << 16, 0, 0, 0, 1 << 30]
    data = bytearray(path.read_bytes())
    start = data.index(b"tkhd") + 4 + 40
    data[start : start + 36] = struct.pack(">9i", *matrix)
    path.write_bytes(data)
    return path


def cut_off(path: Path, share: float) -> Path:
    """Keep only the first `share` of a file's bytes."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def audio_packets(path: Path) -> list[tuple[float, bytes]]:
    """Return time and data of every packet of a file's first audio stream."""
    with av.open(str(path)) as container:
        return [(float(p.pts * p.time_base), bytes(p)) for p in container.demux(audio=0) if p.dts is not None]


def _options(codec: str, options: dict[str, str] | None) -> dict[str, str]:
    return options or ({"crf": "10", "preset": "ultrafast"} if codec == "libx264" else {})


def _conversion(tags: dict[str, int] | None) -> dict[str, int]:
    chosen = {"dst_colorspace": "colorspace", "dst_color_range": "color_range"}
    return {argument: tags[name] for argument, name in chosen.items() if tags and name in tags}


def _picture_frame(picture: np.ndarray) -> av.VideoFrame:
    names = {(3, 1): "rgb24", (4, 1): "rgba", (3, 2): "rgb48le", (4, 2): "rgba64le"}
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format=names[picture.shape[-1], picture.itemsize])


def mux_tone(out, stream, seconds: float) -> None:
    """Encode and mux a 440 Hz tone into a stream of an open container."""
    resampler = av.AudioResampler(format=stream.format, layout="stereo", rate=SAMPLE_RATE)
    total = round(seconds * SAMPLE_RATE)
    for start in range(0, total, 1024):
        t = np.arange(start, min(start + 1024, total)) / SAMPLE_RATE
        wave = 0.2 * np.sin(2 * np.pi * 440 * t)
        frame = av.AudioFrame.from_ndarray(np.stack([wave, wave]).astype(np.float32), "fltp", "stereo")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, start, Fraction(1, SAMPLE_RATE)
        for resampled in resampler.resample(frame):
            out.mux(stream.encode(resampled))
    out.mux(stream.encode(None))
