"""Tiny real media for the tests of training data."""

import av
import numpy as np
from PIL import Image


def textured(height=160, width=180, seed=0):
    """A sharp random texture with blocks of many sizes, uint8 (H, W, 3)."""
    rng = np.random.default_rng(seed)
    image = np.zeros((height, width, 3))
    for cell in (2, 8, 32):
        blocks = rng.uniform(0, 85, (-(-height // cell), -(-width // cell), 3))
        image += blocks.repeat(cell, 0).repeat(cell, 1)[:height, :width]
    return image.astype(np.uint8)


def moving(frames=10, height=96, width=112, seed=0, speed=2):
    """A texture that moves `speed` pixels a frame to the left, uint8 (T, H, W, 3)."""
    wide = textured(height, width + speed * frames, seed)
    return np.stack([wide[:, speed * t : speed * t + width] for t in range(frames)])


def write_video(path, frames, codec="libx264", options=None):
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options or {"crf": "8", "g": "4"})
        stream.height, stream.width, stream.pix_fmt = frames.shape[1], frames.shape[2], "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))


def write_animation(path, frames):
    first, *rest = (Image.fromarray(frame) for frame in frames)
    first.save(path, save_all=True, append_images=rest, lossless=True, duration=40)
