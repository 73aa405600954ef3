"""Make the pictures of the help pages from the demo clip: `python docs/help_pictures.py`."""

from itertools import islice
from pathlib import Path

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from vsr_core.clip import resize_bicubic
from vsr_core.color import MODES, correct
from vsr_core.compare.picture import to_picture
from vsr_core.flow import estimator, warped_neighbours
from vsr_core.load import cast, load_restorer
from vsr_core.models import DEFAULT, built_in
from vsr_core.restore import Settings, align_clip, restore
from vsr_core.runtime import StandaloneRuntime
from vsr_core.tiling.axis import split
from vsr_core.video import read_frames

ROOT = Path(__file__).resolve().parents[1]
CLIP = ROOT / "workflows" / "assets" / "night_city_240p.mp4"
PICTURES = ROOT / "web" / "docs" / "pictures"
FRAMES, SHOWN, RESTORED = 3, 1, 2
ALPHA, MU = 2.0, 0.4
PART = (slice(36, 108), slice(84, 196))
"""Rows and columns of the clip that the models restore."""
SHIFT = torch.tensor([1.25, 0.95, 0.8])[:, None, None]
WIDTH, GAP, TITLE = 480, 6, 22


def main() -> None:
    clip = torch.stack([frame.image for frame in islice(read_frames(CLIP), FRAMES)])
    save("VSRTemporalTiling", {"tiles of 96 pixels, which blend where they overlap": tiled(clip[SHOWN], 96, 16)})
    flow_pictures(clip)
    restored_pictures(clip[(slice(RESTORED), slice(None), *PART)])


def restored_pictures(clip: Tensor) -> None:
    """Write what the built-in models make of a clip (T, 3, H, W)."""
    bicubic = to_picture(resize_bicubic(clip, 4 * clip.shape[-2], 4 * clip.shape[-1])[SHOWN])
    plain = {name: restored_clip(clip, name) for name in built_in()}

    def colored(name: str, mode: str) -> Image.Image:
        return to_picture(correct(mode, plain[name], clip, None)[0][SHOWN])

    save("VSRLoadModel", {"bicubic": bicubic, **{name: colored(name, "adain") for name in plain}})
    save("VSROneStepUpscale", {"strength 0 (bicubic)": bicubic, "strength 1": colored(DEFAULT, "adain")})
    shifted = plain[DEFAULT] * SHIFT  # the built-in models need no correction that can be seen
    corrected = {mode: to_picture(correct(mode, shifted, clip, None)[0][SHOWN]) for mode in MODES}
    save("VSRVideoVAEDecode", corrected)


def restored_clip(clip: Tensor, name: str) -> Tensor:
    """Return the clip as a built-in model restores it, in the colours that the model gives it."""
    restorer, runtime = load_restorer(built_in()[name]), StandaloneRuntime("cpu")
    cast(restorer, runtime.dtype(restorer.requirements.dtypes))
    return torch.cat(list(restore(clip, restorer, runtime, Settings(color="none"))))


def flow_pictures(clip: Tensor) -> None:
    """Write what alignment finds, and what fusion makes of it."""
    aligned = align_clip(clip, estimator("dis-medium"), StandaloneRuntime("cpu"))
    _, following = warped_neighbours(clip, aligned)
    confidence = aligned.confidence(ALPHA)[SHOWN]
    pictures = {"frame": clip[SHOWN], "next, warped": following[SHOWN], "confidence": confidence.expand(3, -1, -1)}
    save("VSROpticalFlowWarp", {title: to_picture(frame) for title, frame in pictures.items()})
    fused = torch.where(confidence > MU, clip[SHOWN], clip[SHOWN] * 0.25 + torch.tensor([0.5, 0, 0])[:, None, None])
    save("VSRMultiFrameFusion", {"frame": to_picture(clip[SHOWN]), "red: not fused at mu 0.4": to_picture(fused)})


def tiled(frame: Tensor, size: int, overlap: int) -> Image.Image:
    """Return the frame with the tiles that it is cut into."""
    picture = to_picture(frame).resize((4 * frame.shape[-1], 4 * frame.shape[-2]), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(picture, "RGBA")
    for top, bottom in split(frame.shape[-2], size, overlap):
        for left, right in split(frame.shape[-1], size, overlap):
            box = [4 * side for side in (left, top, right, bottom)]
            draw.rectangle(box, fill=(255, 214, 102, 40), outline=(255, 214, 102, 255), width=3)
    return picture


def save(node: str, pictures: dict[str, Image.Image]) -> None:
    """Write pictures with their titles below each other, as help is shown in a narrow column; four in two columns."""
    columns = 2 if len(pictures) == 4 else 1
    width = WIDTH // columns
    height = max(round(width * picture.height / picture.width) for picture in pictures.values()) + TITLE
    sheet = Image.new("RGB", (columns * (width + GAP) - GAP, -(-len(pictures) // columns) * height), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=15)
    for index, (title, picture) in enumerate(pictures.items()):
        left, top = index % columns * (width + GAP), index // columns * height
        draw.text((left + 2, top + 1), title, fill="black", font=font)
        sheet.paste(picture.resize((width, height - TITLE), Image.Resampling.LANCZOS), (left, top + TITLE))
    PICTURES.mkdir(parents=True, exist_ok=True)
    sheet.save(PICTURES / f"{node}.jpg", quality=82, optimize=True)


if __name__ == "__main__":
    main()
