"""Small videos with sound, cut out of the middle of a larger one and repeated to any length."""

from fractions import Fraction
from itertools import cycle, islice
from pathlib import Path

import av
import numpy as np

SOUND_RATE = 48_000
SOUND_FRAME = 1024


def write_small_input(video: Path, path: Path, *, seconds: float, height: int, width: int) -> Path:
    """Write `seconds` of the middle `height` x `width` pixels of `video`, forwards and backwards, with a tone."""
    with av.open(str(video)) as source:
        stream = source.streams.video[0]
        rate = stream.average_rate or Fraction(24)
        pictures = [_middle(frame.to_ndarray(format="rgb24"), height, width) for frame in source.decode(stream)]
    with av.open(str(path), "w") as output:
        target = output.add_stream("libx264", rate=rate, options={"crf": "12", "bf": "2"})
        target.height, target.width, target.pix_fmt = height, width, "yuv420p"
        tone = output.add_stream("aac", rate=SOUND_RATE, layout="mono")
        for picture in islice(cycle([*pictures, *reversed(pictures)]), round(seconds * rate)):
            output.mux(target.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        output.mux(target.encode(None))
        for start in range(0, round(seconds * SOUND_RATE), SOUND_FRAME):
            output.mux(tone.encode(_tone(start)))
        output.mux(tone.encode(None))
    return path


def _middle(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    top, left = (picture.shape[0] - height) // 2, (picture.shape[1] - width) // 2
    return np.ascontiguousarray(picture[top : top + height, left : left + width])


def _tone(start: int) -> av.AudioFrame:
    times = np.arange(start, start + SOUND_FRAME) / SOUND_RATE
    samples = 0.2 * np.sin(2 * np.pi * 440 * times)
    frame = av.AudioFrame.from_ndarray(samples.astype(np.float32)[None], format="fltp", layout="mono")
    frame.sample_rate, frame.pts = SOUND_RATE, start
    return frame
